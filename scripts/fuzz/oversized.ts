/** Requests that fit into a message of NATS, and whose full answer does not. A refusal must change nothing. */
import type { Operation } from "../../src/protocol/operations.ts";
import type { Mutation } from "./mutations.ts";
import type { Ask } from "./world.ts";

/** The warning about a dependency that does not exist has more bytes than this. */
const WARNING_BYTES = 100;
const DEPENDENCIES = 1_000;
const ID_BYTES = 256;
/** Tasks in one import. Their ids have the maximum length, and each is in the import twice. */
const CHAIN_PART = 1_000;

export function oversized(maxPayload: number): Mutation[] {
  return [importWithWarnings, largeRegistration, longCycle].map((make) => make(maxPayload));
}

/** Each warning is longer than its dependency. */
function importWithWarnings(maxPayload: number): Mutation {
  const count = Math.ceil(maxPayload / WARNING_BYTES / DEPENDENCIES);
  const tasks = Array.from({ length: count }, (_, i) => ({
    task_id: `oversized-${i}`,
    depends_on: Array.from({ length: DEPENDENCIES }, (_, j) => `x${i}-${j.toString(36)}`),
  }));
  return mutation("tasks.import", "", { tasks }, { codes: ["ok", "too_large", "invalid_request"] });
}

/** The answer contains the entry of the bucket, and the id of the session. */
function largeRegistration(maxPayload: number): Mutation {
  const id = "oversized".padEnd(ID_BYTES, "-");
  const metadata = { note: "x".repeat(maxPayload - ID_BYTES) };
  const ttl_seconds = 3_600;
  return mutation("sessions.register", id, { metadata, ttl_seconds });
}

/** The refusal names the ids of the cycle in its message and in a list. */
function longCycle(maxPayload: number): Mutation {
  const length = Math.ceil(maxPayload / ID_BYTES / 2);
  const id = (i: number): string => `oversized-${i}`.padEnd(ID_BYTES, "-");
  const setup = async (ask: Ask): Promise<void> => {
    for (let first = 0; first < length; first += CHAIN_PART) {
      const count = Math.min(CHAIN_PART, length - first);
      const tasks = Array.from({ length: count }, (_, i) => {
        return { task_id: id(first + i), depends_on: [id(first + i + 1)] };
      });
      await ask("tasks.import", { tasks });
    }
  };
  const body = { depends_on: [id(0)] };
  return mutation("tasks.create", id(length), body, { setup, codes: ["invalid_request"] });
}

function mutation(
  operation: Operation,
  id: string,
  body: Readonly<Record<string, unknown>>,
  more: Partial<Mutation> = {},
): Mutation {
  const subject = id === "" ? operation : `${operation}.${id}`;
  const payload = Buffer.from(JSON.stringify(body));
  return {
    ...{ id, session: id, setup: "nothing", operation, body, codes: ["ok", "too_large"] },
    message: { source: "oversized", subject, reply: "inbox", headers: null, payload },
    ...more,
  };
}
