/**
 * What a task is: its definition, its state and its last event.
 *
 * The domain has times in epoch milliseconds and names in camelCase. `protocol/task-record.ts` translates
 * them to the ISO-8601 times and the snake_case names of the wire.
 */

/** Every status of a task; `transition.ts` describes how a task moves between them. */
export const TASK_STATUSES = [
  "blocked",
  "available",
  "claimed",
  "complete",
  "failed",
  "cancelled",
] as const;
/**
 * The status of a task; `docs/states.md` describes how a task moves between them.
 *
 * @useDeclaredType
 */
export type TaskStatus = (typeof TASK_STATUSES)[number];

/** The statuses of a finished task: only a requeue ends them. */
const FINISHED_STATUSES = ["complete", "failed", "cancelled"] as const;
type FinishedStatus = (typeof FINISHED_STATUSES)[number];

export function isFinished(status: TaskStatus): status is FinishedStatus {
  return (FINISHED_STATUSES as readonly TaskStatus[]).includes(status);
}

/** The type of every event that this version writes. */
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
 * The type of an event; `docs/states.md` says when each happens.
 *
 * @useDeclaredType
 */
export type EventType = (typeof EVENT_TYPES)[number];

/** One of the names or any other: a later version may have written a name that this one does not know. */
type Open<Name extends string> = Name | (string & {});

/** The transition that led to a record. It is stored inside the record, so neither can be lost alone. */
export interface TaskEvent {
  readonly type: Open<EventType>;
  /** `null` for a task that has just been created. */
  readonly oldStatus: Open<TaskStatus> | null;
  readonly newStatus: Open<TaskStatus>;
  /** The session that holds the task after the transition. */
  readonly claimedBy: string | null;
  /** The session that caused it; if a claim was taken from its holder, the session that lost it. */
  readonly sessionId: string | null;
  /** Why, if the type alone does not say it. */
  readonly reason: string | null;
  readonly timestamp: number;
  /** Who sent the request that caused it; `null`: a worker did it by itself, or the server names nobody. */
  readonly principal: string | null;
  /** Fields that a later version has written and this one does not know; left out if there are none. */
  readonly unknownFields?: Readonly<Record<string, unknown>>;
}

/** The reasons that the coordinator itself gives in events. Requests cannot give them. */
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

/** What the creator of a task gives. An update can change it later. */
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
  /** Leases that may be lost (expired, or their connection lost) before the task becomes `failed`; 0: no limit. */
  readonly maxLostLeases: number;
}

export interface Task extends TaskDefinition {
  readonly taskId: string;
  readonly status: TaskStatus;
  readonly claimedBy: string | null;
  readonly claimedAt: number | null;
  /** The lease length of the current claim, in seconds. A missing lease is written again with this length. */
  readonly ttlSeconds: number | null;
  /** The id of the `next` request that won the current claim, so that the repeated request finds the claim. */
  readonly claimRequest: string | null;
  /** The instance of the session that made the current claim; `null` if it named none. */
  readonly claimInstance: string | null;
  /** The number of claims since the task was created. It never goes back. */
  readonly attempt: number;
  /**
   * The revision of the record that the last claim replaced; 0 if no version that writes it made a claim.
   * It grows even if the task is removed and created again, because a bucket's revisions never go back.
   */
  readonly fencingToken: number;
  /** How often the lease of the current claim has begun again after it had expired. 0 without a claim. */
  readonly leaseEpoch: number;
  /** Attempts that their holders reported as failed, since the task was created or requeued. */
  readonly failures: number;
  /** Leases that expired or were lost with their connection, since the task was created or requeued. */
  readonly lostLeases: number;
  /** Nobody can claim the task before this time: a scheduled start, or the end of a delay. A claim clears it. */
  readonly notBefore: number | null;
  /** The holder is asked to stop. When its attempt ends without completion, the task becomes `cancelled`. */
  readonly cancelRequested: boolean;
  readonly result: unknown;
  readonly error: unknown;
  /** The author: a principal such as `agent.s1`, in open mode a session, or `null`: nobody is known. */
  readonly createdBy: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly completedAt: number | null;
  readonly completedBy: string | null;
  /** Revision of the task's first record: the order of creation. `null` inside that first record itself. */
  readonly createdRevision: number | null;
  readonly lastEvent: TaskEvent | null;
  /** Fields of the stored record that this version does not know. Every write keeps them. */
  readonly unknownFields: Readonly<Record<string, unknown>> | null;
}

/** The default of each field, for requests that create a task and for records written by hand. */
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

/** What a request gives for a new task in addition to its definition. */
export interface NewTaskOptions {
  /** The session that creates it. */
  readonly sessionId: string | null;
  readonly principal?: string | null;
  readonly createdBy?: string | null;
  readonly notBefore?: number | null;
  /** How it ended, if the work was done elsewhere. */
  readonly finished?: ImportedEnd | null;
}

/** The finished statuses that an import can give to a new task. */
export const IMPORTED_STATUSES = ["complete", "cancelled"] as const;
export type ImportedStatus = (typeof IMPORTED_STATUSES)[number];

/** How work that was done elsewhere ended. Only a complete task has a result, a time and a session. */
export interface ImportedEnd {
  readonly status: ImportedStatus;
  readonly result: unknown;
  readonly completedAt: number | null;
  readonly completedBy: string | null;
}

/**
 * A new task: finished if the work was done elsewhere, `blocked` if a dependency is incomplete, otherwise
 * `available`.
 *
 * The fields are listed one by one, in the same order as in `toTask` of `protocol/task-record.ts`. So all
 * tasks have one hidden class in V8, and take the least memory.
 */
export function createTask(
  taskId: string,
  definition: TaskDefinition,
  options: NewTaskOptions & { readonly blocked: boolean; readonly now: number },
): Task & { readonly lastEvent: TaskEvent } {
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
    createdBy: options.createdBy ?? null,
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
      principal: options.principal ?? null,
    },
    unknownFields: null,
  };
}
