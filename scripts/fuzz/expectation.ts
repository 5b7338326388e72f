/**
 * What has to come of a message, said by other means than the coordinator's own: from its subject, from
 * its bytes, and from the tasks that there are. Of the project only the schemas are used.
 */
import type { ErrorCode } from "../../src/protocol/errors.ts";
import { type Operation, OPERATIONS, OPERATION_NAMES } from "../../src/protocol/operations.ts";
import { isTooDeep } from "./json-text.ts";
import { isKept } from "./kept-json.ts";
import { type FuzzMessage, isHeard } from "./message.ts";
import { changesNothing } from "./effects.ts";
import { withoutNulls } from "./nulls.ts";
import { requestSchema } from "./schema-bodies.ts";

export type Code = "ok" | ErrorCode;

export type Expectation =
  /** One answer, with one of these codes. `heard`: whether it reaches the run. */
  | {
      readonly kind: "answer";
      readonly operation: Operation;
      readonly codes: readonly Code[];
      readonly heard: boolean;
    }
  /** No reply subject, or one that is not for answers. */
  | { readonly kind: "dropped" }
  /**
   * No operation has the subject. NATS says that nobody listens, or a worker that there is no such
   * operation: `isRefused` says whether a worker may hear of it.
   */
  | { readonly kind: "nobody"; readonly heard: boolean; readonly isRefused: boolean }
  /** Every worker answers, as the NATS service protocol has it. */
  | { readonly kind: "discovery" }
  /** Not to be sent: it might change something, or hold up the run. */
  | { readonly kind: "left out" };

export interface Address {
  readonly operation: Operation;
  readonly id: string;
  readonly principal: string | null;
}

const KNOWN: ReadonlySet<string> = new Set(OPERATION_NAMES);
/** Longer waits hold up the run. */
const LONGEST_WAIT_SECONDS = 0.25;

/** Whom a subject belongs to; `null` if to nobody. */
export function addressOf(subject: string): Address | null {
  const tokens = subject.split(".");
  if (tokens.includes("")) return null;
  const isAgent = tokens[0] === "agent";
  const [root = "", name = "", ...id] = isAgent ? tokens.slice(2) : tokens;
  const operation = `${root}.${name}`;
  if (!KNOWN.has(operation)) return null;
  return {
    operation: operation as Operation,
    id: id.join("."),
    principal: isAgent ? (tokens[1] ?? "") : null,
  };
}

/** Whether workers hear of what is sent there, although no operation has the subject. */
function isBelowRoot(subject: string): boolean {
  return /^(agent\.[^.]+\.)?(tasks|sessions)\../.test(subject);
}

export function expectationOf(message: FuzzMessage): Expectation {
  if (message.subject.startsWith("$SRV.")) return { kind: "discovery" };
  const address = addressOf(message.subject);
  const heard = isHeard(message);
  if (address === null) return { kind: "nobody", heard, isRefused: isBelowRoot(message.subject) };
  if (message.reply === "none" || typeof message.reply === "object") return { kind: "dropped" };
  const { operation } = address;
  const answer = (codes: readonly Code[]): Expectation => {
    return { kind: "answer", operation, codes, heard };
  };
  const definition = OPERATIONS[operation];
  const isNamed = address.id !== "";
  if (isNamed ? definition.id === "none" : definition.id === "required") {
    return answer(["invalid_request"]);
  }
  if (isNamed && !isId(address.id)) return answer(["invalid_request"]);
  const text = textOf(message.payload);
  const json = parse(text);
  if (typeof json !== "object" || json === null || Array.isArray(json) || isTooDeep(json)) {
    return answer(["invalid_request"]);
  }
  if (!isKept(text)) return answer(["invalid_request"]);
  const parsed = definition.request.safeParse(withoutNulls(json, requestSchema(operation)));
  if (!parsed.success) return answer(["invalid_request"]);
  const body = parsed.data as Readonly<Record<string, unknown>>;
  if (isForbidden(address, body)) return answer(["forbidden"]);
  if (!changesNothing(address, body)) return { kind: "left out" };
  if (Number(body.wait_seconds ?? 0) > LONGEST_WAIT_SECONDS) return { kind: "left out" };
  return answer(address.principal === null ? CODES[operation] : [...CODES[operation], "forbidden"]);
}

/** By the words of docs/protocol.md: 1 to 256 characters, and single dots between them. */
function isId(text: string): boolean {
  return (
    text.length <= 256 && text.split(".").every((part) => part !== "" && /^[\w=/-]+$/.test(part))
  );
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** What is no UTF-8 is no JSON either. */
function textOf(payload: Buffer): string {
  try {
    return utf8.decode(payload);
  } catch {
    return "\ufffd";
  }
}

/** `undefined` for what is no JSON. */
function parse(text: string): unknown {
  try {
    return text.trim() === "" ? {} : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** "The session is the principal itself or begins with `<principal>.`" */
function isForbidden(
  { operation, id, principal }: Address,
  body: { session_id?: unknown },
): boolean {
  if (principal === null) return false;
  if (operation === "tasks.import" || operation === "tasks.requeue") return true;
  const session = operation.startsWith("sessions.") && id !== "" ? id : body.session_id;
  if (typeof session !== "string") return false;
  return session !== principal && !session.startsWith(`${principal}.`);
}

/** What requests that are valid and change nothing are answered, by docs/protocol.md. */
const CODES: Readonly<Record<Operation, readonly Code[]>> = {
  "tasks.create": ["already_exists", "invalid_request", "corrupt_record", "too_large"],
  "tasks.import": ["ok", "invalid_request", "too_large"],
  "tasks.claim": [
    ...(["ok", "already_claimed", "not_available", "missing_capabilities"] as const),
    ...(["not_found", "corrupt_record"] as const),
  ],
  "tasks.next": ["ok", "conflict"],
  "tasks.renew": ["too_large", "not_holder", "lease_lost", "not_found", "corrupt_record"],
  "tasks.release": ["ok", "not_holder", "lease_lost", "not_found", "corrupt_record"],
  "tasks.get": ["ok", "not_found", "corrupt_record"],
  "tasks.list": ["ok", "invalid_request"],
  "tasks.history": ["ok", "not_found"],
  "tasks.changes": ["ok"],
  "tasks.verify": ["ok", "not_found", "corrupt_record"],
  "tasks.update": [
    ...(["invalid_request", "not_available", "already_claimed", "conflict"] as const),
    ...(["not_found", "corrupt_record"] as const),
  ],
  "tasks.cancel": ["ok", "not_available", "not_found", "corrupt_record"],
  "tasks.requeue": ["not_available", "not_found", "corrupt_record"],
  "tasks.stats": ["ok"],
  "sessions.register": [],
  "sessions.heartbeat": ["not_found"],
  "sessions.list": ["ok"],
  "sessions.unregister": ["ok"],
};
