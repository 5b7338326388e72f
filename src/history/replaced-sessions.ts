/** Whether a session has one process at a time: which claims a process lost, and what it could still do. */
import { SESSION_REPLACED } from "../task/task.ts";
import type { Recording, RecordedOperation, RecordedRegistration } from "./recording.ts";
import type { Finding } from "./history.ts";

export function wronglyReplaced(recording: Recording): Finding[] {
  return [...takenWithoutCause(recording), ...givenAfterwards(recording)];
}

/** A claim ends for this reason only if another process of the session has sent a registration. */
function takenWithoutCause({ updates, registrations }: Recording): Finding[] {
  const instances = new Map<string, string | undefined>();
  return updates.flatMap(({ task_id: taskId, type, task, toldAt }) => {
    const claim = `${taskId} ${task.attempt}`;
    if (type === "task_claimed") instances.set(claim, task.claim_instance);
    const { reason, session_id: by } = task.last_event ?? {};
    if (reason !== SESSION_REPLACED) return [];
    const instance = instances.get(claim);
    const hasCause = registrations.some((other) => {
      return other.sessionId === by && other.instance !== instance && other.invokedAt < toldAt;
    });
    if (hasCause) return [];
    const what = `attempt ${task.attempt} was taken from ${by}, which no process has replaced`;
    return [{ taskId, what }];
  });
}

/**
 * Once a registration is acknowledged, the replaced process can neither renew nor release what it held. The
 * repetition of an earlier release is an exception.
 */
function givenAfterwards({ operations, registrations }: Recording): Finding[] {
  const claimedAt = new Map<string, number>();
  for (const { taskId, op, returnedAt } of operations) {
    const { asked, told } = op;
    if (asked.kind !== "claim" || told.kind !== "ok") continue;
    const claim = `${taskId} ${told.seen?.attempt ?? ""}`;
    claimedAt.set(claim, Math.min(returnedAt, claimedAt.get(claim) ?? Infinity));
  }
  return operations.flatMap((operation) => {
    const { taskId, op, invokedAt } = operation;
    const { asked, told } = op;
    if ((asked.kind !== "renew" && asked.kind !== "release") || told.kind !== "ok") return [];
    const held = claimedAt.get(`${taskId} ${asked.attempt}`) ?? Infinity;
    const by = registrations.find((other) => {
      const isOther = other.sessionId === asked.sessionId && other.instance !== asked.instance;
      return isOther && held < other.invokedAt && other.returnedAt < invokedAt;
    });
    if (by === undefined || isRepetition(operation, by, operations)) return [];
    const what = `attempt ${asked.attempt} was ${DONE[asked.kind]} by a process of ${asked.sessionId} that was replaced`;
    return [{ taskId, what }];
  });
}

function isRepetition(
  { taskId, op: { asked } }: RecordedOperation,
  by: RecordedRegistration,
  operations: readonly RecordedOperation[],
): boolean {
  if (asked.kind !== "release") return false;
  return operations.some((other) => {
    const { asked: before } = other.op;
    return (
      other.taskId === taskId &&
      before.kind === "release" &&
      before.attempt === asked.attempt &&
      before.status === asked.status &&
      other.invokedAt < by.returnedAt
    );
  });
}

const DONE = { renew: "renewed", release: "released" } as const;
