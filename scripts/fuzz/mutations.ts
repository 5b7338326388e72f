/**
 * Valid requests that change something, each on tasks of its own, with odd contents and odd headers. The
 * coordinator must store exactly what they contain, and nothing else. It must refuse what it cannot store
 * exactly.
 */
import fc from "fast-check";
import { type Operation, OPERATION_IDS, OPERATIONS } from "../../src/protocol/operations.ts";
import type { Code } from "./expectation.ts";
import { HEADERS } from "./generator.ts";
import { arrayText, quoted } from "./json-text.ts";
import { isKept, withoutNulls } from "./json-rules.ts";
import type { FuzzMessage } from "./message.ts";
import type { Ask } from "./world.ts";
import { asObject, fittingFields, requestSchema } from "./schema-bodies.ts";

/** What must exist before: a task in this state with the id, or a session with the name. */
export type Setup = "nothing" | "available" | "claimed" | "cancelled" | "session";

export interface Mutation {
  readonly id: string;
  readonly session: string;
  readonly setup: Setup | ((ask: Ask) => Promise<void>);
  readonly operation: Operation;
  readonly message: FuzzMessage;
  /** The parsed body, without the nulls that mean absent. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly codes: readonly Code[];
}

/** The writes of one success, in the buckets of tasks, leases and sessions. */
export type Writes = readonly [tasks: number, leases: number, sessions: number];

interface Kind {
  readonly setup: Setup;
  readonly writes: Writes;
  /** The fields that are not random. */
  readonly fixed: readonly (keyof ReturnType<typeof fixedValues>)[];
  /** The fields that would make it another request. */
  readonly without?: readonly string[];
  /** Whether an agent may send it, as a principal. */
  readonly agents?: true;
}

/** What stands in front of the subjects of the agent. Only it and operators change the definition of its tasks. */
export const AGENT = "agent.mutant.";

/** An hour: no lease expires during the run. */
const LONG = "3600";

/** The values of all such fields. */
function fixedValues(id: string, session: string) {
  return {
    ...{ session_id: quoted(session), ttl_seconds: LONG, attempt: "1", title: quoted(id) },
    ...{ prefix: quoted(id), tags: "[]", max: "1", wait_seconds: "0" },
  };
}

const AGENTS = { agents: true } as const;
const TASK: Writes = [1, 0, 0];
const LEASE: Writes = [0, 1, 0];
const SESSION: Writes = [0, 0, 1];
const BOTH: Writes = [1, 1, 0];
const WHO = ["session_id"] as const;
const LEASED = ["session_id", "ttl_seconds"] as const;
const NEXT = [...LEASED, "prefix", "tags", "max", "wait_seconds"] as const;

const KINDS: Readonly<Partial<Record<Operation, Kind>>> = {
  "tasks.create": { setup: "nothing", writes: TASK, fixed: WHO, without: ["task_id"], ...AGENTS },
  // Its writes are counted from the answer, which lists the tasks created.
  "tasks.import": { setup: "nothing", writes: [0, 0, 0], fixed: WHO },
  "tasks.claim": { setup: "available", writes: BOTH, fixed: LEASED, ...AGENTS },
  "tasks.next": { setup: "available", writes: BOTH, fixed: NEXT, ...AGENTS },
  "tasks.renew": { setup: "claimed", writes: LEASE, fixed: [...LEASED, "attempt"], ...AGENTS },
  // With `next` it would claim the tasks of other mutations.
  "tasks.release": {
    ...{ setup: "claimed", writes: BOTH, fixed: [...WHO, "attempt"], without: ["next"] },
    ...AGENTS,
  },
  "tasks.update": {
    ...{ setup: "available", writes: TASK, fixed: [...WHO, "title"], without: ["revision"] },
    ...AGENTS,
  },
  "tasks.cancel": { setup: "available", writes: TASK, fixed: WHO },
  "tasks.requeue": { setup: "cancelled", writes: TASK, fixed: WHO },
  "sessions.register": { setup: "nothing", writes: SESSION, fixed: ["ttl_seconds"], ...AGENTS },
  "sessions.heartbeat": { setup: "session", writes: SESSION, fixed: [], ...AGENTS },
  "sessions.unregister": { setup: "session", writes: SESSION, fixed: [], ...AGENTS },
};

/** The id is known only when the mutation is sent. */
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
      const values = fixedValues(id, session);
      const kept = Object.entries(fields).filter(([name]) => kind.without?.includes(name) !== true);
      const imported = arrayText(
        tasks.map((task, i) => asObject({ ...task, task_id: quoted(`${id}.${i}`) })),
      );
      const body = asObject({
        ...Object.fromEntries(kept),
        ...Object.fromEntries(kind.fixed.map((name) => [name, values[name]])),
        ...(operation === "tasks.import" ? { tasks: imported } : {}),
      });
      const takesId = OPERATION_IDS[operation] !== "none";
      const named = operation.startsWith("sessions.") ? session : id;
      const subject = (isAgent ? AGENT : "") + operation + (takesId ? `.${named}` : "");
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

/** Whether the request is valid, as it should be. */
export function isValid({ operation, body }: Mutation): boolean {
  return OPERATIONS[operation].request.safeParse(body).success;
}

/** The writes that follow from the answer. */
export function writesOf(
  { operation }: Mutation,
  outcome: string,
  answer: Readonly<Record<string, unknown>> | null,
): Writes {
  if (outcome !== "ok") return [0, 0, 0];
  if (operation === "tasks.import") return [(answer?.created as unknown[]).length, 0, 0];
  return KINDS[operation]?.writes ?? [0, 0, 0];
}
