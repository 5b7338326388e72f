/** The keys `tasks/<id>` of an event bus. They are tasks of the coordinator, not shared state. */
import type { RequestInput } from "../protocol/operations.ts";
import { invalidInput } from "./task-error.ts";

const PREFIX = "tasks/";

/**
 * The id in a key `tasks/<id>`, or `null` for any other key. A deeper key such as `tasks/P0.5.1/notes` is
 * shared state.
 */
export function taskIdOf(key: string): string | null {
  if (!key.startsWith(PREFIX)) return null;
  const id = key.slice(PREFIX.length);
  return id.includes("/") ? null : id;
}

/**
 * The request that creates a task that was put. A new task is available, or blocked by its dependencies,
 * and no session holds it. The value may say so.
 *
 * @throws TaskError `invalid_request` for any other status or holder
 */
export function toCreation(taskId: string, value: unknown): RequestInput<"tasks.create"> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalidInput("value", "must be an object with the fields of a task, such as title");
  }
  const { status, claimed_by: claimedBy, ...definition } = value as Record<string, unknown>;
  if (status !== undefined && status !== "available" && status !== "blocked") {
    throw invalidInput(
      "status",
      `a task is created as available; use claimTask and releaseTask to bring it to another status`,
    );
  }
  if (claimedBy !== undefined && claimedBy !== null) {
    throw invalidInput("claimed_by", "no session holds a new task; use claimTask to claim it");
  }
  if (definition.task_id !== undefined && definition.task_id !== taskId) {
    throw invalidInput("task_id", `must be ${taskId}, as in the key`);
  }
  // The coordinator checks the other fields and names what is wrong.
  return definition;
}

export function refuseTtl(ttl: number | undefined): void {
  if (ttl === undefined) return;
  throw invalidInput(
    "ttl",
    "a TTL on a task would delete the task, not its claim: claims have leases that expire; give " +
      "claimTask the option ttlSeconds",
  );
}

export function refuseTask(taskId: string, instead: string): never {
  throw invalidInput(
    "key",
    `tasks/${taskId} is a task, which only the coordinator changes: ${instead}`,
  );
}
