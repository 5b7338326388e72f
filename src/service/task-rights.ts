/**
 * Who may change a task without holding it. The definition belongs to the creator and to operators. A client
 * without a principal counts as an operator here: with `auth.mode: accounts` it is not served at all.
 *
 * Each function returns the refusal, or `null`. They are asked about the record that a write would replace.
 */
import { CoordinatorError } from "../protocol/errors.ts";
import { formatPrincipal, type Principal } from "../protocol/subjects.ts";
import type { Task } from "../task/task.ts";
import { isSessionOf } from "./permission.ts";

type Owned = Pick<Task, "taskId" | "createdBy" | "claimedBy">;

export function updateRefusal(task: Owned, by: Principal | null): CoordinatorError | null {
  if (by?.role !== "agent" || isCreatedBy(task, by)) return null;
  return new CoordinatorError(
    "forbidden",
    `the definition of ${task.taskId} belongs to its creator (${task.createdBy ?? "unknown"}) and to operators: ` +
      "ask one of them",
  );
}

/** `sessionId`: the session that asks, which belongs to the principal; `null`: the request names none. */
export function cancelRefusal(
  task: Owned,
  by: Principal | null,
  sessionId: string | null,
): CoordinatorError | null {
  if (by?.role !== "agent") return null;
  const { taskId, claimedBy, createdBy } = task;
  if (sessionId !== null && sessionId === claimedBy) return null;
  if (!isCreatedBy(task, by)) {
    return new CoordinatorError(
      "forbidden",
      `only the holder of ${taskId}, its creator (${createdBy ?? "unknown"}) and operators cancel it: ask one of them`,
    );
  }
  if (claimedBy === null || isSessionOf(claimedBy, by)) return null;
  return new CoordinatorError(
    "forbidden",
    `${claimedBy} holds ${taskId}, so only that session and operators cancel it: ask one of them`,
  );
}

function isCreatedBy({ createdBy }: Owned, principal: Principal): boolean {
  return createdBy === formatPrincipal(principal);
}
