/** What the buckets have, and what a worker answers, after the power came back. */
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/nats-core";
import { setTimeout as delay } from "node:timers/promises";
import type { TaskClient } from "../../src/client/task-client.ts";
import { TaskError } from "../../src/client/task-error.ts";
import { isStreamMissing } from "../../src/nats/find-stream.ts";
import { type RecordedEntry, readHistory } from "../../src/nats/read-history.ts";
import { leaseKeyOf } from "../../src/protocol/lease-key.ts";
import type { Task } from "../../src/task/task.ts";

const READABLE_MS = 120_000;
/** A cluster may report no bucket for a moment, until its nodes have exchanged their states. */
const GONE_MS = 15_000;
const POLL_MS = 250;
const LEASES_TIMEOUT_MS = 30_000;
const MOST_CLAIMED_AGAIN = 50;

/** The history of the tasks. `null` if the bucket no longer exists. @throws Error if it cannot be read */
export async function readTasks(connection: NatsConnection): Promise<RecordedEntry[] | null> {
  const started = performance.now();
  for (;;) {
    try {
      return await readHistory(connection);
    } catch (error) {
      const elapsedMs = performance.now() - started;
      if (isStreamMissing(error) && elapsedMs > GONE_MS) return null;
      if (elapsedMs > READABLE_MS) {
        const reason = error instanceof Error ? error.message : String(error);
        const seconds = READABLE_MS / 1000;
        throw new Error(`the servers are not back after ${seconds} s: ${reason}`, { cause: error });
      }
      await delay(POLL_MS);
    }
  }
}

/** The number of tasks whose last record is a claim without a lease of that attempt. */
export async function claimedWithoutLease(
  connection: NatsConnection,
  entries: readonly RecordedEntry[],
): Promise<number> {
  const claimed = new Map<string, Task>();
  for (const { taskId, task } of entries) {
    if (task?.status === "claimed") claimed.set(taskId, task);
    else claimed.delete(taskId);
  }
  const bucket = await new Kvm(connection).open("leases", { timeout: LEASES_TIMEOUT_MS });
  let count = 0;
  for (const [taskId, { attempt, leaseEpoch: epoch }] of claimed) {
    const entry = await bucket.get(leaseKeyOf({ taskId, attempt, epoch }));
    if (entry?.operation !== "PUT") count++;
  }
  return count;
}

/** The number of attempts that were told before and are now told to another session. */
export async function attemptsToldTwice(
  tasks: TaskClient,
  attemptsBack: ReadonlyMap<string, number>,
): Promise<number> {
  let twice = 0;
  for (const [taskId, told] of [...attemptsBack].slice(0, MOST_CLAIMED_AGAIN)) {
    const session_id = "after-the-power-came-back";
    try {
      // The planner of a task that is gone creates it again.
      await tasks.create(taskId, {}).catch((error: unknown) => {
        ignore(error, "already_exists");
      });
      const { attempt } = await tasks.claim(taskId, { session_id, ttl_seconds: 5 });
      if (attempt <= told) twice++;
    } catch (error) {
      ignore(error, "already_claimed", "not_available");
    }
  }
  return twice;
}

function ignore(error: unknown, ...codes: readonly string[]): void {
  if (!(error instanceof TaskError) || !codes.includes(error.code)) throw error;
}
