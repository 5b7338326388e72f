/**
 * The event inside a task's record. It only reports what happened, so an event of a later version is kept
 * as it is: a type that this version does not know does not make the record unreadable.
 */
import { z } from "zod";
import { EVENT_TYPES, TASK_STATUSES, type TaskEvent } from "../task/task.ts";
import * as field from "./fields.ts";
import { iso } from "./instants.ts";
import {
  checked,
  isId,
  isNullOr,
  isOneOf,
  isText,
  isTime,
  quickCheckOf,
  schemasOf,
} from "./quick-record-check.ts";
import { sharedAuthor } from "./shared-values.ts";
import { unknownFieldsOf } from "./unknown-fields.ts";

const EVENT_FIELDS = {
  /** What happened: an `EventType`, or one of a later version. */
  type: checked(z.string(), isOneOf(EVENT_TYPES)),
  /** The task. */
  task_id: checked(field.taskId, isId),
  /** Before; `null` for a task that has just been created. */
  old_status: checked(z.string().nullable(), isNullOr(isOneOf(TASK_STATUSES))),
  /** After. */
  new_status: checked(z.string(), isOneOf(TASK_STATUSES)),
  /** The session that holds the task after it. */
  claimed_by: checked(field.sessionId.nullable(), isNullOr(isId)),
  /** The session that caused it; if a claim was taken from its holder, the session that lost it. */
  session_id: checked(field.sessionId.nullable().default(null), isNullOr(isId)),
  /** Why, if the type alone does not say it. */
  reason: checked(z.string().nullable().default(null), isNullOr(isText)),
  /** When. */
  timestamp: checked(field.time, isTime),
  /** Who sent the request that caused it. Left out if a worker did it by itself, or the server names nobody. */
  principal: checked(z.string().optional(), isText),
};

export const taskEvent = z.looseObject(schemasOf(EVENT_FIELDS));
/** Whether it is an event as this version writes it. */
export const isOurEvent = quickCheckOf(EVENT_FIELDS);

/**
 * The transition that led to a task's record.
 *
 * @interface
 */
export type EventRecord = z.infer<typeof taskEvent>;

const KNOWN_FIELDS: ReadonlySet<string> = new Set(Object.keys(taskEvent.shape));

export function encodeEvent(taskId: string, event: TaskEvent): EventRecord {
  return {
    ...event.unknownFields,
    type: event.type,
    task_id: taskId,
    old_status: event.oldStatus,
    new_status: event.newStatus,
    claimed_by: event.claimedBy,
    session_id: event.sessionId,
    reason: event.reason,
    timestamp: iso(event.timestamp),
    ...(event.principal === null ? {} : { principal: event.principal }),
  };
}

/** Parsing makes a new string for each record. One string for all of them takes less memory. */
export function sharedTypeName(type: string): string {
  return SHARED_TYPE_NAMES.get(type) ?? type;
}
const SHARED_TYPE_NAMES = new Map<string, string>(EVENT_TYPES.map((type) => [type, type]));

/** `isOurs`: it has no field that this version does not know. */
export function decodeEvent(record: EventRecord, isOurs: boolean): TaskEvent {
  const event: TaskEvent = {
    type: sharedTypeName(record.type),
    oldStatus: record.old_status,
    newStatus: record.new_status,
    claimedBy: record.claimed_by,
    sessionId: record.session_id,
    reason: record.reason,
    timestamp: Date.parse(record.timestamp),
    principal: record.principal === undefined ? null : sharedAuthor(record.principal),
  };
  const unknownFields = isOurs ? null : unknownFieldsOf(record, KNOWN_FIELDS);
  return unknownFields === null ? event : { ...event, unknownFields };
}
