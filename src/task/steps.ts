/** The parts of every transition: the task after it, and the decisions that write nothing. */
import type { Decision } from "./commands.ts";
import type { EventType, Task, TaskEvent, TaskStatus } from "./task.ts";

/** The task without a holder. Attempt and fencing token stay, so that the next claim gets other ones. */
export function unclaimed(task: Task): Task {
  return {
    ...task,
    claimedBy: null,
    claimedAt: null,
    ttlSeconds: null,
    claimRequest: null,
    claimInstance: null,
    leaseEpoch: 0,
    cancelRequested: false,
  };
}

/** What the event says about the cause of a transition. */
export interface Cause {
  readonly sessionId?: string | null;
  readonly reason?: string | null;
  readonly principal?: string | null | undefined;
}

/** The task after the transition, with its event. */
export function moved(from: Task, to: Task, type: EventType, now: number, cause: Cause = {}): Task {
  const lastEvent: TaskEvent = {
    type,
    oldStatus: from.status,
    newStatus: to.status,
    claimedBy: to.claimedBy,
    sessionId: cause.sessionId ?? null,
    reason: cause.reason ?? null,
    timestamp: now,
    principal: cause.principal ?? null,
  };
  return { ...to, updatedAt: now, lastEvent };
}

export const UNCHANGED: Decision = { kind: "unchanged" };

export function write(task: Task): Decision {
  return { kind: "write", task };
}

/** @param by the session that asks for the task */
export function alreadyClaimed(task: Task, by: string | null = null): Decision {
  const claimedBy = task.claimedBy ?? "";
  const isOtherInstance = claimedBy === by ? ({ isOtherInstance: true } as const) : {};
  return { kind: "refused", refusal: { code: "already_claimed", claimedBy, ...isOtherInstance } };
}

export function unavailable(status: Exclude<TaskStatus, "available" | "claimed">): Decision {
  return { kind: "refused", refusal: { code: "not_available", reason: status } };
}
