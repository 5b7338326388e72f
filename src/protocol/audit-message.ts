/**
 * The messages of the audit: one for each change that a request caused, and one for each request that was refused
 * for lack of right. They are in the stream `AUDIT`, on `audit.<outcome>.<role>.<name>.<operation>`.
 */
import type { EventType } from "../task/task.ts";
import type { ErrorCode } from "./errors.ts";
import type { Operation } from "./operations.ts";

export const AUDIT_ROOT = "audit";

/** The refusals for lack of right. Others, such as `already_claimed`, are part of normal work. */
export const AUDITED_REFUSALS = [
  "forbidden",
  "not_holder",
  "lease_lost",
  "session_replaced",
  "limit_reached",
] as const satisfies readonly ErrorCode[];

export type AuditOutcome = "ok" | (typeof AUDITED_REFUSALS)[number];

/** What is known of a change or a refusal. */
export interface AuditEntry {
  /** Epoch milliseconds. */
  readonly at: number;
  /** `ok`: it was done. */
  readonly outcome: AuditOutcome;
  readonly principal: string | null;
  readonly sessionId: string | null;
  readonly operation: Operation;
  /** The task; of an operation on a session, the session. */
  readonly id: string | null;
  /** What happened to the task. */
  readonly event?: string;
  readonly attempt?: number | null;
  readonly revision?: number;
  /** So many refusals are meant, of which this was the last. */
  readonly count?: number;
}

/** An entry as it is stored. Fields without a value are left out. */
export interface AuditMessage {
  /** By the worker's clock. */
  readonly time: string;
  readonly outcome: AuditOutcome;
  readonly operation: string;
  readonly id?: string;
  readonly principal?: string;
  readonly session_id?: string;
  readonly event?: string;
  readonly attempt?: number;
  readonly revision?: number;
  readonly count?: number;
  readonly worker: string;
}

/** Stands for the role and the name where the NATS server names nobody. */
const NOBODY = "-.-";

export function auditSubject({
  outcome,
  principal,
  operation,
}: Pick<AuditEntry, "outcome" | "principal" | "operation">): string {
  return `${AUDIT_ROOT}.${outcome}.${principal ?? NOBODY}.${operation}`;
}

/** The subjects of the messages that fit. What is left out fits everything. */
export function auditSubjects({
  principal,
  operation,
  refused = false,
}: {
  readonly principal?: string | undefined;
  readonly operation?: string | undefined;
  readonly refused?: boolean | undefined;
}): string[] {
  const outcomes = refused ? AUDITED_REFUSALS : ["*"];
  return outcomes.map(
    (outcome) => `${AUDIT_ROOT}.${outcome}.${principal ?? "*.*"}.${operation ?? "*.*"}`,
  );
}

export function encodeAuditEntry(entry: AuditEntry, worker: string): string {
  const { at, outcome, operation, id, principal, sessionId, event, attempt, revision, count } =
    entry;
  return JSON.stringify({
    time: new Date(at).toISOString(),
    ...{ outcome, operation },
    id: id ?? undefined,
    principal: principal ?? undefined,
    session_id: sessionId ?? undefined,
    event,
    attempt: attempt ?? undefined,
    ...{ revision, count, worker },
  });
}

/** `null` for what no worker has written. */
export function decodeAuditMessage(text: string): AuditMessage | null {
  try {
    const value = JSON.parse(text) as Partial<AuditMessage> | null;
    const { time, outcome, operation } = value ?? {};
    const isWhole = [time, outcome, operation].every((field) => typeof field === "string");
    return isWhole ? (value as AuditMessage) : null;
  } catch {
    return null;
  }
}

/**
 * The operation that causes the event. A claim through `tasks.next` counts as `tasks.claim`, and an import as
 * `tasks.create`. `null`: a worker causes it.
 */
export const OPERATION_OF_EVENT = {
  task_created: "tasks.create",
  task_updated: "tasks.update",
  task_blocked: null,
  task_unblocked: null,
  task_claimed: "tasks.claim",
  task_renewed: "tasks.renew",
  task_released: "tasks.release",
  task_completed: "tasks.release",
  task_attempt_failed: "tasks.release",
  task_failed: "tasks.release",
  task_expired: null,
  task_cancel_requested: "tasks.cancel",
  task_cancelled: "tasks.cancel",
  task_requeued: "tasks.requeue",
} as const satisfies Record<EventType, Operation | null>;
