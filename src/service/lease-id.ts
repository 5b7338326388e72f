/** Which lease of a task is meant, and which of two is the later one. */
import type { Task } from "../task/task.ts";

/** A lease is for one attempt, and for one of the times that the attempt's lease was begun. */
export interface LeaseId {
  readonly attempt: number;
  readonly epoch: number;
}

/** The lease that a claimed task is to have. */
export function leaseIdOf({ attempt, leaseEpoch: epoch }: Task): LeaseId {
  return { attempt, epoch };
}

/** Negative if `a` comes before `b`, positive if it comes after, 0 if they are the same. */
export function compareLeases(a: LeaseId, b: LeaseId): number {
  return a.attempt - b.attempt || a.epoch - b.epoch;
}

/** Whether both are the same, or there is neither. */
export function isSameLease(a: LeaseId | null, b: LeaseId | null): boolean {
  return a === null || b === null ? a === b : compareLeases(a, b) === 0;
}
