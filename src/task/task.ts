/**
 * What a task is: its definition, its state and the event that brought it there.
 *
 * The domain keeps times as epoch milliseconds and names in camelCase; the wire's ISO-8601 strings
 * and snake_case names are made in `protocol/task-record.ts`.
 */

/** Every status a task can have; `transition.ts` describes how it moves between them. */
export const TASK_STATUSES = [
  "blocked",
  "available",
  "claimed",
  "complete",
  "failed",
  "cancelled",
] as const;
/**
 * The state of a task; `docs/states.md` says what leads where.
 *
 * @useDeclaredType
 */
export type TaskStatus = (typeof TASK_STATUSES)[number];

/** Statuses that only `requeue` leaves. */
const FINISHED_STATUSES = ["complete", "failed", "cancelled"] as const;
type FinishedStatus = (typeof FINISHED_STATUSES)[number];

export function isFinished(status: TaskStatus): status is FinishedStatus {
  return (FINISHED_STATUSES as readonly TaskStatus[]).includes(status);
}

/** Every kind of transition that this version makes. */
export const EVENT_TYPES = [
  "task_created",
  "task_updated",
  "task_blocked",
  "task_unblocked",
  "task_claimed",
  "task_renewed",
  "task_released",
  "task_completed",
  "task_attempt_failed",
  "task_failed",
  "task_expired",
  "task_cancel_requested",
  "task_cancelled",
  "task_requeued",
] as const;
/**
 * The kind of a transition; `docs/states.md` says when each happens.
 *
 * @useDeclaredType
 */
export type EventType = (typeof EVENT_TYPES)[number];

/** A name that is open: a later version may have written others than this one knows. */
type Open<Name extends string> = Name | (string & {});

/** The transition that produced a record. It is stored inside the record, so neither can be lost alone. */
export interface TaskEvent {
  readonly type: Open<EventType>;
  /** `null` for a task that has just been created. */
  readonly oldStatus: Open<TaskStatus> | null;
  readonly newStatus: Open<TaskStatus>;
  /** Who holds the task after the transition. */
  readonly claimedBy: string | null;
  /** The session that caused the transition; where a claim was taken (expiry, forced cancel, requeue), the one that lost it. */
  readonly sessionId: string | null;
  /** Why, where the type alone does not tell. */
  readonly reason: string | null;
  readonly timestamp: number;
  /** What a later version says of its event; left out if there is nothing. */
  readonly unknownFields?: Readonly<Record<string, unknown>>;
}

/** Reasons that events give by themselves; nobody can give them for a cancel or a requeue. */
export const LEASE_EXPIRED = "lease expired";
export const CONNECTION_LOST = "connection lost";
export const STOPPED_AS_ASKED = "stopped as asked";
export const LEASE_HAD_RUN_OUT = "lease had run out";
export const SESSION_REPLACED = "session_replaced";
export const RESERVED_REASONS: readonly string[] = [
  LEASE_EXPIRED,
  CONNECTION_LOST,
  STOPPED_AS_ASKED,
  LEASE_HAD_RUN_OUT,
  SESSION_REPLACED,
];

/** What the creator of a task says about it; `update` can change it later. */
export interface TaskDefinition {
  readonly title: string;
  readonly description: string | null;
  /** 0 (most urgent) to 4. */
  readonly priority: number;
  readonly dependsOn: readonly string[];
  /** Capabilities a session must have to claim the task. */
  readonly requires: readonly string[];
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly payload: unknown;
  /** Attempts that a holder may report as failed before the task becomes `failed`. */
  readonly maxFailures: number;
  /** Leases that may be lost (expired, or their connection lost) before it does; 0: no limit. */
  readonly maxLostLeases: number;
}

export interface Task extends TaskDefinition {
  readonly taskId: string;
  readonly status: TaskStatus;
  readonly claimedBy: string | null;
  readonly claimedAt: number | null;
  /** The lease length of the current claim, in seconds; a lost lease is made anew with it. */
  readonly ttlSeconds: number | null;
  /** The id of the `next` request that won the current claim, so that a repeated request finds it. */
  readonly claimRequest: string | null;
  /** The instance of the session that made the current claim; `null` if it named none. */
  readonly claimInstance: string | null;
  /** The number of claims in this life of the id. It only grows while the task exists. */
  readonly attempt: number;
  /**
   * The revision of the record that the last claim replaced; 0: no claim by a version that knows it.
   * It grows across all lives of the id, because revisions of a bucket never go back.
   */
  readonly fencingToken: number;
  /** How often the lease of the current claim was begun anew after it had run out; else 0. */
  readonly leaseEpoch: number;
  /** Attempts that their holders reported as failed since the task was created or requeued. */
  readonly failures: number;
  /** Leases that expired, or were lost with their connection, since then. */
  readonly lostLeases: number;
  /** Not claimable before this time: a scheduled start, or the end of a delay. A claim clears it. */
  readonly notBefore: number | null;
  /** Whoever holds the task is asked to stop; its end then makes the task `cancelled`. */
  readonly cancelRequested: boolean;
  readonly result: unknown;
  readonly error: unknown;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly completedAt: number | null;
  readonly completedBy: string | null;
  /** Revision of the task's first record: the creation order. `null` inside that first record itself. */
  readonly createdRevision: number | null;
  readonly lastEvent: TaskEvent | null;
  /** Fields of the stored record that this version does not know; every write carries them along. */
  readonly unknownFields: Readonly<Record<string, unknown>> | null;
}

/** The default of every optional part of a definition, for `create` and hand-written records alike. */
export const DEFINITION_DEFAULTS = {
  title: "",
  description: null,
  priority: 2,
  dependsOn: [],
  requires: [],
  tags: [],
  metadata: {},
  payload: null,
  maxFailures: 3,
  maxLostLeases: 10,
} as const satisfies TaskDefinition;

/** What is said of a new task beside its definition. */
export interface NewTaskOptions {
  /** Who creates it. */
  readonly sessionId: string | null;
  readonly notBefore?: number | null;
  /** Of work that was done elsewhere. */
  readonly finished?: ImportedEnd | null;
}

/** The statuses that a new task can have without anybody working on it. */
export const IMPORTED_STATUSES = ["complete", "cancelled"] as const;
export type ImportedStatus = (typeof IMPORTED_STATUSES)[number];

/** How work that was done elsewhere ended; the times and the result are those of a complete task. */
export interface ImportedEnd {
  readonly status: ImportedStatus;
  readonly result: unknown;
  readonly completedAt: number | null;
  readonly completedBy: string | null;
}

/**
 * A new task: `blocked` while any of its dependencies is incomplete, else `available`; or finished, if it
 * is work that was done elsewhere.
 *
 * Field by field, in one order everywhere, as tasks that are read from the bucket: then all of them have
 * one shape, and take the least room.
 */
export function createTask(
  taskId: string,
  definition: TaskDefinition,
  options: NewTaskOptions & { readonly blocked: boolean; readonly now: number },
): Task {
  const { finished = null } = options;
  const status = finished?.status ?? (options.blocked ? "blocked" : "available");
  return {
    title: definition.title,
    description: definition.description,
    priority: definition.priority,
    dependsOn: definition.dependsOn,
    requires: definition.requires,
    tags: definition.tags,
    metadata: definition.metadata,
    payload: definition.payload,
    maxFailures: definition.maxFailures,
    maxLostLeases: definition.maxLostLeases,
    taskId,
    status,
    claimedBy: null,
    claimedAt: null,
    ttlSeconds: null,
    claimRequest: null,
    claimInstance: null,
    attempt: 0,
    fencingToken: 0,
    leaseEpoch: 0,
    failures: 0,
    lostLeases: 0,
    notBefore: options.notBefore ?? null,
    cancelRequested: false,
    result: finished?.result ?? null,
    error: null,
    createdAt: options.now,
    updatedAt: options.now,
    completedAt: finished?.completedAt ?? null,
    completedBy: finished?.completedBy ?? null,
    createdRevision: null,
    lastEvent: {
      type: "task_created",
      oldStatus: null,
      newStatus: status,
      claimedBy: null,
      sessionId: options.sessionId,
      reason: null,
      timestamp: options.now,
    },
    unknownFields: null,
  };
}
