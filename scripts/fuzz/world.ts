/**
 * What the coordinator holds while it is fuzzed: a task of each kind, such that no message that is sent
 * may change any of them. Nothing is left that a `next` could claim, and nothing runs out.
 */
import { headers, type NatsConnection } from "@nats-io/transport-node";
import { MAX_TTL_SECONDS } from "../../src/protocol/fields.ts";

/** Holds tasks, and is registered; no message that names it with the right attempt is sent. */
export const HOLDER = "holder";
/** What `guarded` requires; no message offers it. */
export const SECRET = "only-the-fuzz-knows-it-8f14e45f";

export type Kind =
  | "claimed"
  | "cancel requested"
  | "blocked"
  | "finished"
  | "cancelled"
  | "guarded"
  | "delayed"
  | "corrupt";

/** All tasks that there are. */
export const TASKS: Readonly<Record<string, Kind>> = {
  held: "claimed",
  "held.asked": "cancel requested",
  blocked: "blocked",
  "done-1": "finished",
  "failed/1": "finished",
  cancelled_1: "cancelled",
  guarded: "guarded",
  delayed: "delayed",
  corrupt: "corrupt",
};
/** Registered sessions. */
export const SESSIONS: ReadonlySet<string> = new Set([HOLDER, "listener"]);

/** Ids for messages to name, of which some are of no task. */
export const TASK_NAMES = [...Object.keys(TASKS), "removed", "nothing", "held.nothing"];
export const SESSION_NAMES = [HOLDER, "s1", "mallory", "mallory.1", "listener"];
/** Of the root on which the server vouches for somebody. */
export const PRINCIPALS = ["mallory", HOLDER, "s1", "*", ">", "$SYS", "\u00ff\u00fe", "_"];

export type Ask = (subject: string, body?: object) => Promise<Record<string, unknown>>;

export function askOver(connection: NatsConnection): Ask {
  return async (subject, body = {}) => {
    const reply = await connection.request(subject, JSON.stringify(body), { timeout: 15_000 });
    const answer = reply.json<Record<string, unknown>>();
    if (answer.ok !== true) throw new Error(`${subject}: ${reply.string()}`);
    return answer;
  };
}

/** Makes the tasks and sessions, and resolves when the workers have done all that follows. */
export async function makeWorld(connection: NatsConnection): Promise<void> {
  const ask = askOver(connection);
  const ttl_seconds = MAX_TTL_SECONDS;
  for (const id of SESSIONS) await ask(`sessions.register.${id}`, { ttl_seconds });
  const claim = (id: string): Promise<unknown> =>
    ask(`tasks.claim.${id}`, { session_id: HOLDER, ttl_seconds });
  for (const id of ["held", "held.asked", "done-1", "failed/1"]) {
    await ask(`tasks.create.${id}`, { title: id, payload: { n: 1 } });
    await claim(id);
  }
  const release = { session_id: HOLDER, attempt: 1 };
  await ask("tasks.release.done-1", { ...release, status: "complete", result: "done" });
  await ask("tasks.release.failed/1", { ...release, status: "failed", retry: false, error: "no" });
  await ask("tasks.cancel.held.asked", { reason: "no longer needed" });
  await ask("tasks.create.blocked", { depends_on: ["held", "missing"] });
  await ask("tasks.create.guarded", { requires: [SECRET] });
  await ask("tasks.create.cancelled_1");
  await ask("tasks.cancel.cancelled_1");
  // By hand, as the protocol allows.
  for (const [id, value] of [
    ["delayed", JSON.stringify({ status: "available", not_before: "2999-01-01T00:00:00.000Z" })],
    ["corrupt", "no task at all"],
    ["removed", "soon gone"],
  ] as const) {
    await connection.request(`$KV.tasks.${id}`, value);
  }
  const marker = headers();
  marker.set("KV-Operation", "DEL");
  await connection.request("$KV.tasks.removed", "", { headers: marker, timeout: 5_000 });
  await untilLeases(ask, 2);
}

/** A lease is written after its claim was answered, and purged after the release was. */
async function untilLeases(ask: Ask, count: number): Promise<void> {
  const deadline = Date.now() + 15_000;
  while ((await ask("tasks.stats")).leases !== count) {
    if (Date.now() > deadline) throw new Error(`the coordinator never had ${count} leases`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
