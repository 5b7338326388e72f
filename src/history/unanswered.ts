/**
 * A guess at the outcome of operations without an answer, from the updates that a subscriber received.
 *
 * Such an operation may have happened at any later time, or never, so the number of orders grows without
 * bound. Mostly the guess explains the history at once. It only leaves orders out: an order that fits the
 * guess fits the operations too. If no order fits the guess, all orders are tried.
 */
import { CONNECTION_LOST, LEASE_EXPIRED, SESSION_REPLACED } from "../task/task.ts";
import { checkLinearizability, type Explained, type Operation } from "./linearizability.ts";
import type { TaskOperation } from "./recorded-operation.ts";
import type { RecordedUpdate } from "./recording.ts";
import { taskModel } from "./task-model.ts";

type TaskHistory = readonly Operation<TaskOperation>[];

/** Whether the operations on one task can be explained, given the updates of that task. */
export function explain(
  operations: TaskHistory,
  updates: readonly RecordedUpdate[],
): Explained<TaskOperation> {
  const guessed = checkLinearizability(taskModel, guess(operations, updates));
  return guessed.isLinearizable ? guessed : checkLinearizability(taskModel, operations);
}

function guess(operations: TaskHistory, updates: readonly RecordedUpdate[]): TaskHistory {
  /** The names of the writes whose operation is known. */
  const taken = new Set(operations.map(({ op }) => acknowledged(op)));
  return operations
    .toSorted((a, b) => a.invokedAt - b.invokedAt)
    .flatMap((operation) => {
      const { op, invokedAt } = operation;
      if (op.told.kind !== "unknown") return [operation];
      const done = updates.find((update) => {
        return update.toldAt > invokedAt && isEffect(update, op) && !taken.has(nameOf(update));
      });
      if (done === undefined) return [];
      const name = nameOf(done);
      // Another cancel or requeue may have caused the update, so the outcome of this one stays open.
      if (name === null) return [operation];
      taken.add(name);
      return [{ ...operation, returnedAt: done.toldAt }];
    });
}

/** The name of the acknowledged write. `null` for none, or if other writes would have the same name. */
function acknowledged({ asked, told }: TaskOperation): string | null {
  if (told.kind !== "ok") return null;
  if (asked.kind === "create") return "create";
  if (asked.kind === "claim") return `claim ${asked.sessionId} ${told.seen?.attempt ?? ""}`;
  return asked.kind === "release" ? `release ${asked.sessionId} ${asked.attempt}` : null;
}

/** The name of the write of the update, as `acknowledged` gives it. */
function nameOf({ type, task }: RecordedUpdate): string | null {
  const sessionId = task.last_event?.session_id ?? "";
  if (type === "task_created") return "create";
  if (type === "task_claimed") return `claim ${sessionId} ${task.attempt}`;
  return RELEASES.has(type) ? `release ${sessionId} ${task.attempt}` : null;
}

/** `task_cancelled` is missing: it is a release by a holder that was asked to stop, or a cancel. */
const RELEASES: ReadonlySet<string> = new Set([
  ...["task_released", "task_completed", "task_attempt_failed", "task_failed"],
]);
const CANCELS: ReadonlySet<string> = new Set(["task_cancelled", "task_cancel_requested"]);

/** Reasons for the end of a claim that the holder has not requested. */
const TAKEN: ReadonlySet<string | null> = new Set([
  ...[LEASE_EXPIRED, CONNECTION_LOST, SESSION_REPLACED],
]);

/** Whether the operation may have led to the update. */
function isEffect({ type, task }: RecordedUpdate, { asked }: TaskOperation): boolean {
  const { session_id: by, reason = null } = task.last_event ?? {};
  switch (asked.kind) {
    case "create":
      return type === "task_created";
    case "claim":
      return type === "task_claimed" && by === asked.sessionId;
    case "renew":
      return type === "task_renewed" && by === asked.sessionId && task.attempt === asked.attempt;
    case "release": {
      const isRelease = RELEASES.has(type) || type === "task_cancelled";
      const isOwn = by === asked.sessionId && task.attempt === asked.attempt;
      return isRelease && isOwn && !TAKEN.has(reason);
    }
    case "cancel":
      return CANCELS.has(type);
    case "requeue":
      return type === "task_requeued";
    case "get":
      return false;
  }
}
