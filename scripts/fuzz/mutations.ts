/**
 * Valid requests that change something, each in a namespace of its own, with odd contents and odd
 * headers: what they bring has to be stored as it was sent, and nothing but that. What cannot be kept
 * has to be refused.
 */
import fc from "fast-check";
import { type Operation, OPERATIONS } from "../../src/protocol/operations.ts";
import type { Code } from "./expectation.ts";
import { HEADERS } from "./generator.ts";
import { arrayText, quoted } from "./json-text.ts";
import { isKept } from "./kept-json.ts";
import type { FuzzMessage } from "./message.ts";
import type { Ask } from "./world.ts";
import { withoutNulls } from "./nulls.ts";
import { asObject, type Fields, fittingFields, requestSchema } from "./schema-bodies.ts";

/** What has to be there before: a task in this state under the id, or a session of this name. */
export type Setup = "nothing" | "available" | "claimed" | "cancelled" | "session";

export interface Mutation {
  readonly id: string;
  readonly session: string;
  readonly setup: Setup | ((ask: Ask) => Promise<void>);
  readonly operation: Operation;
  readonly message: FuzzMessage;
  /** The body as JSON has it, without the nulls that mean absent. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly codes: readonly Code[];
}

/** How many writes one success is, in the buckets of tasks, leases and sessions. */
export type Writes = readonly [tasks: number, leases: number, sessions: number];

interface Kind {
  readonly setup: Setup;
  readonly writes: Writes;
  /** What the body has to say, whatever chance says. */
  readonly fixed: (id: string, session: string) => Fields;
  /** Fields that would make it another request. */
  readonly without?: readonly string[];
  /** Whether an agent may send it, under a principal. */
  readonly agents?: true;
}

/** An hour: nothing runs out while the run lasts. */
const LONG = "3600";

const KINDS: Readonly<Partial<Record<Operation, Kind>>> = {
  "tasks.create": {
    setup: "nothing",
    writes: [1, 0, 0],
    fixed: who,
    without: ["task_id"],
    agents: true,
  },
  // Counted by what the answer says was created.
  "tasks.import": { setup: "nothing", writes: [0, 0, 0], fixed: who },
  "tasks.claim": { setup: "available", writes: [1, 1, 0], fixed: leased, agents: true },
  "tasks.next": {
    setup: "available",
    writes: [1, 1, 0],
    fixed: (id, session) => ({
      ...leased(id, session),
      ...{ prefix: quoted(id), tags: "[]", max: "1", wait_seconds: "0" },
    }),
    agents: true,
  },
  "tasks.renew": { setup: "claimed", writes: [0, 1, 0], fixed: attempted, agents: true },
  "tasks.release": {
    setup: "claimed",
    writes: [1, 1, 0],
    fixed: (id, session) => ({ ...who(id, session), attempt: "1" }),
    agents: true,
  },
  "tasks.update": {
    setup: "available",
    writes: [1, 0, 0],
    fixed: (id, session) => ({ ...who(id, session), title: quoted(id) }),
    without: ["revision"],
    agents: true,
  },
  "tasks.cancel": { setup: "available", writes: [1, 0, 0], fixed: who },
  "tasks.requeue": { setup: "cancelled", writes: [1, 0, 0], fixed: who },
  "sessions.register": {
    setup: "nothing",
    writes: [0, 0, 1],
    fixed: () => ({ ttl_seconds: LONG }),
    agents: true,
  },
  "sessions.heartbeat": { setup: "session", writes: [0, 0, 1], fixed: () => ({}), agents: true },
  "sessions.unregister": { setup: "session", writes: [0, 0, 1], fixed: () => ({}), agents: true },
};

function who(_id: string, session: string): Fields {
  return { session_id: quoted(session) };
}

function leased(id: string, session: string): Fields {
  return { ...who(id, session), ttl_seconds: LONG };
}

function attempted(id: string, session: string): Fields {
  return { ...leased(id, session), attempt: "1" };
}

/** Made without a number, which is given when it is sent. */
export type MutationMaker = (id: string) => Mutation;

export function mutations(): fc.Arbitrary<MutationMaker> {
  const entries = Object.entries(KINDS) as [Operation, Kind][];
  return fc.oneof(...entries.map(([operation, kind]) => ofKind(operation, kind)));
}

function ofKind(operation: Operation, kind: Kind): fc.Arbitrary<MutationMaker> {
  const schema = requestSchema(operation);
  const tasks = fc.array(fittingFields(schema.properties?.tasks?.items ?? {}), {
    minLength: 1,
    maxLength: 4,
  });
  const isAgent = kind.agents === true ? fc.boolean() : fc.constant(false);
  const headers = fc.option(HEADERS);
  return fc
    .record({ fields: fittingFields(schema), tasks, isAgent, headers })
    .map(({ fields, tasks, isAgent, headers }) => (id: string): Mutation => {
      const session = `mutant.${id}`;
      const kept = Object.entries(fields).filter(([name]) => kind.without?.includes(name) !== true);
      const imported = arrayText(
        tasks.map((task, i) => asObject({ ...task, task_id: quoted(`${id}.${i}`) })),
      );
      const body = asObject({
        ...Object.fromEntries(kept),
        ...kind.fixed(id, session),
        ...(operation === "tasks.import" ? { tasks: imported } : {}),
      });
      const takesId = OPERATIONS[operation].id !== "none";
      const named = operation.startsWith("sessions.") ? session : id;
      const subject = (isAgent ? "agent.mutant." : "") + operation + (takesId ? `.${named}` : "");
      return {
        ...{ id, session, operation, setup: kind.setup },
        codes: isKept(body) ? ["ok", "too_large"] : ["invalid_request"],
        body: withoutNulls(JSON.parse(body), schema) as Record<string, unknown>,
        message: {
          ...{ source: "mutation", subject, reply: "inbox", headers },
          payload: Buffer.from(body),
        },
      };
    });
}

/** Whether it is as valid as it was meant to be. */
export function isValid({ operation, body }: Mutation): boolean {
  return OPERATIONS[operation].request.safeParse(body).success;
}

/** What the answer means for the buckets. */
export function writesOf(
  { operation }: Mutation,
  outcome: string,
  answer: Readonly<Record<string, unknown>> | null,
): Writes {
  if (outcome !== "ok") return [0, 0, 0];
  if (operation === "tasks.import") return [(answer?.created as unknown[]).length, 0, 0];
  return KINDS[operation]?.writes ?? [0, 0, 0];
}
