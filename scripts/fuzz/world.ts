/**
 * What the coordinator holds while it is fuzzed: a task of each kind, so that no message that is sent may
 * change one. No task is left for a `next`, and no lease expires.
 */
import { setTimeout as delay } from "node:timers/promises";
import { headers, type NatsConnection } from "@nats-io/transport-node";
import { MAX_TTL_SECONDS } from "../../src/protocol/fields.ts";

/** A registered session that holds tasks. No message names it with the right attempt. */
export const HOLDER = "holder";
/** The capability that `guarded` requires. No message offers it. */
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

/** All tasks. */
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

/** Ids for messages to name. Some belong to no task. */
export const TASK_NAMES = [...Object.keys(TASKS), "removed", "nothing", "held.nothing"];
export const SESSION_NAMES = [HOLDER, "s1", "mallory", "mallory.1", "listener"];
/** Names for the root on which the server vouches for the sender. */
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

/**
 * Creates the tasks and sessions. Resolves when the workers have written everything that follows.
 *
 * @param buckets the connection that can write to them. Default: the same
 */
export async function makeWorld(connection: NatsConnection, buckets = connection): Promise<void> {
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
  // Written directly to the bucket, as the protocol allows.
  for (const [id, value] of [
    ["delayed", JSON.stringify({ status: "available", not_before: "2999-01-01T00:00:00.000Z" })],
    ["corrupt", "no task at all"],
    ["removed", "removed below"],
  ] as const) {
    await buckets.request(`$KV.tasks.${id}`, value);
  }
  const marker = headers();
  marker.set("KV-Operation", "DEL");
  await buckets.request("$KV.tasks.removed", "", { headers: marker, timeout: 5_000 });
  await untilLeased(ask);
}

/** Resolves when each claim has its lease, which is written a second later, and no other lease is left. */
export async function untilLeased(ask: Ask): Promise<void> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const { tasks, leases } = await ask("tasks.stats");
    const { claimed } = tasks as { readonly claimed: number };
    if (leases === claimed) return;
    if (Date.now() > deadline) throw new Error(`${claimed} claims have ${String(leases)} leases`);
    await delay(20);
  }
}

/**
 * Takes one task from its creation to its end, as on any other day.
 *
 * @returns what went wrong, or `null`
 */
export async function everydayProblem(connection: NatsConnection): Promise<string | null> {
  const ask = askOver(connection);
  const id = `everyday-${crypto.randomUUID()}`;
  const updates = connection.subscribe(`task-updates.${id}`);
  const session_id = "everyday";
  try {
    await ask(`sessions.register.${session_id}`);
    await ask(`tasks.create.${id}`, { title: "Everyday" });
    const { claims } = await ask("tasks.next", { session_id, prefix: id });
    const [claim] = claims as { readonly attempt: number }[];
    const holder = { session_id, attempt: claim?.attempt };
    await ask(`tasks.renew.${id}`, holder);
    await ask(`tasks.release.${id}`, { ...holder, status: "complete", result: "done" });
    const { task } = await ask(`tasks.get.${id}`);
    const { status, result } = task as { readonly status: string; readonly result: string };
    if (status !== "complete" || result !== "done") return `the task is ${status}, ${result}`;
    await ask(`sessions.unregister.${session_id}`);
    await connection.flush();
    const received = updates.getReceived();
    return received === 3 ? null : `subscribers received ${received} transitions of 3`;
  } catch (error) {
    return `an everyday request failed: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    updates.unsubscribe();
  }
}
