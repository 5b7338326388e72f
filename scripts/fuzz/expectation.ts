/**
 * The answer that a message must have. It follows from the subject, the bytes and the tasks of `world.ts`,
 * by other means than the coordinator's own: the only code of the coordinator used here is its schemas.
 */
import type { ErrorCode } from "../../src/protocol/errors.ts";
import {
  type Operation,
  OPERATION_IDS,
  OPERATION_NAMES,
  OPERATIONS,
} from "../../src/protocol/operations.ts";
import { isId, isKept, isTooDeep, withoutNulls } from "./json-rules.ts";
import { type FuzzMessage, isHeard } from "./message.ts";
import { changesNothing } from "./effects.ts";
import { requestSchema } from "./schema-bodies.ts";

export type Code = "ok" | ErrorCode;

export type Expectation =
  /** One answer with one of these codes. `heard`: the answer reaches the run. */
  | {
      readonly kind: "answer";
      readonly operation: Operation;
      readonly codes: readonly Code[];
      readonly heard: boolean;
    }
  /** There is no reply subject, or one that is not for answers. */
  | { readonly kind: "dropped" }
  /**
   * No operation has the subject. NATS answers that nobody listens. If `isRefused`, a worker may receive
   * the message, and answers that there is no such operation.
   */
  | { readonly kind: "nobody"; readonly heard: boolean; readonly isRefused: boolean }
  /** Every worker answers, by the NATS service protocol. */
  | { readonly kind: "discovery" }
  /** The message must not be sent: it might change something, or hold up the run. */
  | { readonly kind: "left out" };

export interface Address {
  readonly operation: Operation;
  readonly id: string;
  readonly principal: string | null;
}

const KNOWN: ReadonlySet<string> = new Set(OPERATION_NAMES);
/** Longer waits hold up the run. */
const LONGEST_WAIT_SECONDS = 0.25;

/** The operation that has the subject; `null`: none. */
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

/** Whether workers receive messages to the subject, although no operation has it. */
function isBelowRoot(subject: string): boolean {
  return /^(agent\.[^.]+\.)?(tasks|sessions)\../.test(subject);
}

/** The subject under which a worker receives it; `null`: the account of the sender cannot reach a worker. */
function receivedSubject({ agent, subject }: FuzzMessage): string | null {
  if (agent === undefined) return subject;
  return /^(tasks|sessions)\../.test(subject) ? `agent.${agent}.${subject}` : null;
}

export function expectationOf(message: FuzzMessage): Expectation {
  const heard = isHeard(message);
  const subject = receivedSubject(message);
  if (subject === null) return { kind: "nobody", heard, isRefused: false };
  if (subject.startsWith("$SRV.")) return { kind: "discovery" };
  const address = addressOf(subject);
  if (address === null) return { kind: "nobody", heard, isRefused: isBelowRoot(subject) };
  if (message.reply === "none" || typeof message.reply === "object") return { kind: "dropped" };
  const { operation } = address;
  const answer = (codes: readonly Code[]): Expectation => {
    return { kind: "answer", operation, codes, heard };
  };
  const definition = OPERATIONS[operation];
  const isNamed = address.id !== "";
  const invalid = answer(["invalid_request"]);
  if (isNamed ? OPERATION_IDS[operation] === "none" : OPERATION_IDS[operation] === "required")
    return invalid;
  if (isNamed && !isId(address.id)) return invalid;
  const text = textOf(message.payload);
  const json = parse(text);
  if (typeof json !== "object" || json === null || Array.isArray(json)) return invalid;
  if (isTooDeep(json) || !isKept(text)) return invalid;
  const parsed = definition.request.safeParse(withoutNulls(json, requestSchema(operation)));
  if (!parsed.success) return invalid;
  const body = parsed.data as Readonly<Record<string, unknown>>;
  if (isForbidden(address, body)) return answer(["forbidden"]);
  if (!changesNothing(operation, address.id, body)) return { kind: "left out" };
  if (Number(body.wait_seconds ?? 0) > LONGEST_WAIT_SECONDS) return { kind: "left out" };
  return answer(address.principal === null ? CODES[operation] : [...CODES[operation], "forbidden"]);
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Bytes that are no UTF-8 become a text that is no JSON. */
function textOf(payload: Buffer): string {
  try {
    return utf8.decode(payload);
  } catch {
    return "\ufffd";
  }
}

/** Returns `undefined` if the text is no JSON. */
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

const NO_TASK = ["not_found", "corrupt_record"] as const;

/** The answers to valid requests that change nothing, by docs/protocol.md. */
const CODES: Readonly<Record<Operation, readonly Code[]>> = {
  "tasks.create": ["already_exists", "invalid_request", "corrupt_record", "too_large"],
  "tasks.import": ["ok", "invalid_request", "too_large"],
  "tasks.claim": ["ok", "already_claimed", "not_available", "missing_capabilities", ...NO_TASK],
  "tasks.next": ["ok", "conflict"],
  "tasks.renew": ["too_large", "not_holder", "lease_lost", ...NO_TASK],
  "tasks.release": ["ok", "not_holder", "lease_lost", ...NO_TASK],
  "tasks.get": ["ok", ...NO_TASK],
  "tasks.list": ["ok", "invalid_request"],
  "tasks.history": ["ok", "not_found"],
  "tasks.changes": ["ok"],
  "tasks.verify": ["ok", ...NO_TASK],
  "tasks.update": ["invalid_request", "not_available", "already_claimed", "conflict", ...NO_TASK],
  "tasks.cancel": ["ok", "not_available", ...NO_TASK],
  "tasks.requeue": ["not_available", ...NO_TASK],
  "tasks.stats": ["ok"],
  "sessions.register": [],
  "sessions.heartbeat": ["not_found"],
  "sessions.list": ["ok"],
  "sessions.unregister": ["ok"],
};
