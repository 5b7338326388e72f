/**
 * Waits for a task of a session. A wait may outlast the coordinator: it goes on when a worker is stopped or
 * restarted, with the same `request_id`, so that no task is claimed twice.
 */
import { pause } from "../client/waiting.ts";
import type { TaskClient } from "../client/task-client.ts";
import { TaskError } from "../client/task-error.ts";
import type { Reply, RequestInput } from "../protocol/operations.ts";

export type Wanted = Pick<
  RequestInput<"tasks.next">,
  "session_id" | "instance" | "tags" | "prefix" | "capabilities" | "ttl_seconds" | "request_id"
>;

/** One request waits so long. If the worker that holds it dies, no more than this is lost. */
const SLICE_MS = 15_000;
/** A worker that is being stopped answers at once. */
const PAUSE_MS = 100;
/** While no coordinator answers. */
const OUTAGE_PAUSE_MS = 500;
/** If an answer comes earlier than this before its time, the coordinator did not wait to the end. */
const TOLERANCE_MS = 50;

/**
 * @param until by `performance.now()`
 * @throws TaskError for a refusal, or if no coordinator answers the first request or the last one; the
 * signal's reason
 */
export async function waitForTask(
  tasks: TaskClient,
  wanted: Wanted,
  until: number,
  signal: AbortSignal,
): Promise<Reply<"tasks.next">> {
  const request = { ...wanted, release_on_disconnect: true };
  const leftMs = (): number => Math.max(0, until - performance.now());
  let isKnown = false;
  for (;;) {
    try {
      const wait_seconds = Math.min(leftMs(), SLICE_MS) / 1000;
      const reply = await tasks.next({ ...request, wait_seconds }, { signal });
      isKnown = true;
      if (reply.claims.length > 0 || leftMs() <= TOLERANCE_MS) return reply;
      await pause(PAUSE_MS, signal);
    } catch (error) {
      const isOutage = error instanceof TaskError && error.retryable;
      if (signal.aborted || !isKnown || !isOutage || leftMs() === 0) throw error;
      await pause(Math.min(OUTAGE_PAUSE_MS, leftMs()), signal);
    }
  }
}
