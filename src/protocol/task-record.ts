/** A task as it is stored and sent: the table of its fields, and the way to the domain and back. */
import { z } from "zod";
import { TASK_STATUSES, type Task } from "../task/task.ts";
import {
  DEFINITION_FIELDS,
  decodeDefinition,
  encodeDefinition,
  type FieldsOf,
} from "./definition-record.ts";
import { describeInexact, inexactPart, isTooDeep } from "./storable-json.ts";
import { EncodedJson } from "./encoded-json.ts";
import * as field from "./fields.ts";
import { iso, isoOrNull, millisOrNull } from "./instants.ts";
import {
  checked,
  isFlag,
  isGiven,
  isId,
  isNullOr,
  isOneOf,
  isShort,
  isText,
  isTime,
  isWhole,
  quickCheckOf,
  schemasOf,
} from "./quick-record-check.ts";
import { sharedAuthor } from "./shared-values.ts";
import { ID_RULE, isValidId } from "./subjects.ts";
import { decodeEvent, encodeEvent, isOurEvent, taskEvent } from "./task-event.ts";
import { unknownFieldsOf } from "./unknown-fields.ts";

/** A task as this version writes it. */
const RECORD_FIELDS = {
  /** The id. */
  task_id: checked(field.taskId, isId),
  ...DEFINITION_FIELDS,
  /** Its status. */
  status: checked(z.enum(TASK_STATUSES), isOneOf(TASK_STATUSES)),
  /** The session that holds it; otherwise `null`. */
  claimed_by: checked(field.sessionId.nullable(), isNullOr(isId)),
  /** When that session claimed it. */
  claimed_at: checked(field.time.nullable(), isNullOr(isTime)),
  /** The number of claims since it was created. */
  attempt: checked(field.attempt, isWhole(0)),
  /** Failed attempts since it was created or requeued. */
  failures: checked(z.int().min(0), isWhole(0)),
  /** Leases that expired, or were lost with their connection, since it was created or requeued. */
  lost_leases: checked(z.int().min(0), isWhole(0)),
  /** When it can be claimed: a scheduled start, or the end of a delay after a failed attempt. */
  not_before: checked(field.time.nullable(), isNullOr(isTime)),
  /** What the holder gave with `complete`; otherwise `null`. */
  result: checked(z.unknown(), isGiven),
  /** What the last failed attempt said; otherwise `null`. */
  error: checked(z.unknown(), isGiven),
  /** When it was created. */
  created_at: checked(field.time, isTime),
  /** When this record was written. */
  updated_at: checked(field.time, isTime),
  /** When it was completed. */
  completed_at: checked(field.time.nullable(), isNullOr(isTime)),
  /** The session that completed it. */
  completed_by: checked(field.sessionId.nullable(), isNullOr(isId)),
  /** The transition that led to this record. */
  last_event: checked(taskEvent.nullable(), isNullOr(isOurEvent)),
  /** `true`: the holder is asked to stop. */
  cancel_requested: checked(z.boolean().optional(), isFlag),
  /** Length of the lease of the current claim. */
  ttl_seconds: checked(
    field.ttlSeconds.optional(),
    isWhole(field.MIN_TTL_SECONDS, field.MAX_TTL_SECONDS),
  ),
  /** Which `next` request won the current claim. */
  claim_request: checked(z.string().optional(), isText),
  /** The instance of the session that made the current claim. Left out if it named none. */
  claim_instance: checked(field.instance.optional(), isShort(field.MAX_INSTANCE_LENGTH)),
  /** The fencing token of the last claim; it grows with each claim of the id. Left out if there was none. */
  fencing_token: checked(field.fencingToken.optional(), isWhole(0)),
  /** How often the lease of the current attempt was begun again after it had ended. Left out if never. */
  lease_epoch: checked(field.leaseEpoch.optional(), isWhole(0)),
  /** Revision of its first record: the order of creation. Left out of that first record. */
  created_revision: checked(field.revision.optional(), isWhole(0)),
  /** Who created it: a principal, such as `agent.s1`, or `session.<id>` if the server names none. Left out if unknown. */
  created_by: checked(z.string().optional(), isText),
} as const satisfies FieldsOf<Omit<Task, "unknownFields">>;

/** What workers write, and what updates contain. */
export const taskRecord = z.object(schemasOf(RECORD_FIELDS)).describe("A task");

/** What replies contain. */
export const sentRecord = z
  .object({
    ...taskRecord.shape,
    /** `true`: the coordinator does not show this agent the content of this task. */
    redacted: z.boolean().optional().describe("true: its content is not shown to this agent"),
  })
  .describe("A task");
/**
 * A task as the bucket stores it. Times are ISO-8601.
 *
 * @interface
 */
export type TaskRecord = z.infer<typeof sentRecord>;

const isRecord = quickCheckOf(RECORD_FIELDS);

/** Whether the schema accepts the value as it is, and knows each of its fields. */
export function passesQuickCheck(json: unknown): json is TaskRecord {
  return isRecord(json) && hasHolderIfClaimed(json as object);
}

function hasHolderIfClaimed({
  status,
  claimed_by,
}: {
  readonly status?: unknown;
  readonly claimed_by?: unknown;
}): boolean {
  return (status === "claimed") === (typeof claimed_by === "string");
}

/**
 * What workers read. People write records by hand (`nats kv put tasks X '{"title":"..."}'`), so every
 * field has a default. Fields of a later version are kept unchanged.
 */
const storedRecord = z
  .looseObject({
    ...taskRecord.shape,
    ttl_seconds: field.ttlSeconds.nullable(),
    claim_request: z.string().nullable(),
    claim_instance: field.instance.nullable(),
    fencing_token: field.fencingToken.nullable(),
    lease_epoch: field.leaseEpoch.nullable(),
    created_revision: field.revision.nullable(),
    created_by: z.string().nullable(),
  })
  .partial()
  .refine(hasHolderIfClaimed, {
    path: ["claimed_by"],
    error: "must name the holder of a claimed task, and of no other",
  });
type StoredRecord = z.infer<typeof storedRecord>;

export function encodeTask(task: Task): TaskRecord {
  return {
    ...task.unknownFields,
    task_id: task.taskId,
    ...encodeDefinition(task),
    status: task.status,
    claimed_by: task.claimedBy,
    claimed_at: isoOrNull(task.claimedAt),
    attempt: task.attempt,
    failures: task.failures,
    lost_leases: task.lostLeases,
    not_before: isoOrNull(task.notBefore),
    result: task.result,
    error: task.error,
    created_at: iso(task.createdAt),
    updated_at: iso(task.updatedAt),
    completed_at: isoOrNull(task.completedAt),
    completed_by: task.completedBy,
    last_event: task.lastEvent === null ? null : encodeEvent(task.taskId, task.lastEvent),
    ...(task.cancelRequested ? { cancel_requested: true } : {}),
    ...(task.ttlSeconds === null ? {} : { ttl_seconds: task.ttlSeconds }),
    ...(task.claimRequest === null ? {} : { claim_request: task.claimRequest }),
    ...(task.claimInstance === null ? {} : { claim_instance: task.claimInstance }),
    ...(task.fencingToken === 0 ? {} : { fencing_token: task.fencingToken }),
    ...(task.leaseEpoch === 0 ? {} : { lease_epoch: task.leaseEpoch }),
    ...(task.createdRevision === null ? {} : { created_revision: task.createdRevision }),
    ...(task.createdBy === null ? {} : { created_by: task.createdBy }),
  };
}

/** The record of a task as it is stored. Replies contain the same bytes. */
export class EncodedRecord extends EncodedJson<TaskRecord> {
  readonly task_id: string;
  readonly task: Task;

  constructor(task: Task) {
    super(encodeTask(task));
    this.task_id = task.taskId;
    this.task = task;
  }
}

/** Where a record was found. It completes a record that was written by hand. */
export interface RecordOrigin {
  readonly taskId: string;
  readonly revision: number;
  /** When the record was written, epoch milliseconds. */
  readonly writtenAt: number;
}

/** Thrown by `decodeTask` for a value that is not a task. The message says what is wrong with it. */
export class CorruptRecordError extends Error {
  override readonly name = "CorruptRecordError";
}

/** @throws CorruptRecordError */
export function decodeTask(text: string, origin: RecordOrigin): Task {
  // No request could name such a task, and no worker could read it again.
  if (!isValidId(origin.taskId)) {
    throw new CorruptRecordError(`the key is not a task id: use ${ID_RULE}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new CorruptRecordError("the value is not JSON");
  }
  if (isTooDeep(json)) throw new CorruptRecordError("the value is nested too deep");
  const inexact = inexactPart(text);
  if (inexact !== null) throw new CorruptRecordError(describeInexact(inexact));
  const ours = passesQuickCheck(json) ? json : null;
  const record = ours ?? parseStored(json);
  if (record.task_id !== undefined && record.task_id !== origin.taskId) {
    throw new CorruptRecordError(
      `the record's task_id is "${record.task_id}" but its key is "${origin.taskId}"`,
    );
  }
  return toTask(record, origin, ours !== null);
}

function parseStored(json: unknown): StoredRecord {
  const { data, error } = storedRecord.safeParse(json);
  if (data !== undefined) return data;
  const [issue] = error.issues;
  if (issue?.path.join(".") === "status" && issue.code === "invalid_value") {
    throw new CorruptRecordError(
      "the value is not a task record: status: must be one of " +
        `${TASK_STATUSES.join(", ")}. Was it written by a newer version?`,
    );
  }
  const field = issue === undefined || issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
  throw new CorruptRecordError(`the value is not a task record: ${field}${issue?.message ?? ""}`);
}

function toTask(
  record: StoredRecord,
  origin: RecordOrigin,
  /** The record has no field that this version does not know. */
  isOurs: boolean,
): Task {
  const definition = decodeDefinition(record);
  const event = record.last_event ?? null;
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
    taskId: origin.taskId,
    status: record.status ?? (definition.dependsOn.length > 0 ? "blocked" : "available"),
    claimedBy: record.claimed_by ?? null,
    claimedAt: millisOrNull(record.claimed_at),
    ttlSeconds: record.ttl_seconds ?? null,
    claimRequest: record.claim_request ?? null,
    claimInstance: record.claim_instance ?? null,
    attempt: record.attempt ?? 0,
    fencingToken: record.fencing_token ?? 0,
    leaseEpoch: record.lease_epoch ?? 0,
    failures: record.failures ?? 0,
    lostLeases: record.lost_leases ?? 0,
    notBefore: millisOrNull(record.not_before),
    cancelRequested: record.cancel_requested ?? false,
    result: record.result ?? null,
    error: record.error ?? null,
    createdBy: authorOrNull(record.created_by),
    createdAt: millisOrNull(record.created_at) ?? origin.writtenAt,
    updatedAt: millisOrNull(record.updated_at) ?? origin.writtenAt,
    completedAt: millisOrNull(record.completed_at),
    completedBy: record.completed_by ?? null,
    createdRevision: record.created_revision ?? origin.revision,
    lastEvent: event === null ? null : decodeEvent(event, isOurs),
    unknownFields: isOurs ? null : unknownFieldsOf(record, KNOWN_FIELDS),
  };
}

function authorOrNull(author: string | null | undefined): string | null {
  return author === null || author === undefined ? null : sharedAuthor(author);
}

const KNOWN_FIELDS: ReadonlySet<string> = new Set(Object.keys(RECORD_FIELDS));
