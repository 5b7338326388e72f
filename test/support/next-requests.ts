/** Sends `tasks.next` requests, and waits until they are parked. */
import type { Json, TestCoordinator } from "./test-coordinator.ts";

/** Resolves with the answer. Rejects if the request is refused. */
export async function next(
  coordinator: TestCoordinator,
  session: string,
  more: object = {},
): Promise<Json> {
  const reply = await askNext(coordinator, session, more);
  if (reply.ok !== true) throw new Error(JSON.stringify(reply));
  return reply;
}

/** Resolves with the answer, also with a refusal. */
export function askNext(
  coordinator: TestCoordinator,
  session: string,
  more: object = {},
): Promise<Json> {
  return coordinator.request("tasks.next", { session_id: session, ...more }, 60_000);
}

export function idsOf(reply: Json): string[] {
  return reply.claims.map((claim: Json) => claim.task.task_id);
}

/** Resolves when the worker that answers has this number of parked requests. The workers answer in turn. */
export async function parked(coordinator: TestCoordinator, count: number): Promise<void> {
  await coordinator.until(
    "tasks.stats",
    ({ ok, worker }) => ok === true && worker.waiting === count,
  );
}

/** Resolves when the workers have this number of parked requests together. */
export async function parkedOverAll(
  coordinator: TestCoordinator,
  workers: number,
  count: number,
): Promise<void> {
  const byWorker = new Map<string, number>();
  await coordinator.until("tasks.stats", ({ ok, worker }) => {
    if (ok !== true) return false;
    byWorker.set(worker.id as string, worker.waiting as number);
    const sum = [...byWorker.values()].reduce((before, waiting) => before + waiting, 0);
    return byWorker.size === workers && sum === count;
  });
}
