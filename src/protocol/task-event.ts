/**
 * The event inside a task's record. It only tells what happened, so what a later version wrote is kept
 * as it is: an event of a type that this version does not know does not make the record unreadable.
 */
import { z } from "zod";
import { EVENT_TYPES, type TaskEvent } from "../task/task.ts";
import * as field from "./fields.ts";
import { iso } from "./instants.ts";
import { unknownFieldsOf } from "./unknown-fields.ts";

export const taskEvent = z.looseObject({
  /** What happened: an `EventType`, or one of a later version. */
  type: z.string(),
  /** The task. */
  task_id: field.taskId,
  /** Before; `null` for a task that has just been created. */
  old_status: z.string().nullable(),
  /** After. */
  new_status: z.string(),
  /** Who holds the task after it. */
  claimed_by: field.sessionId.nullable(),
  /** The session that caused it; where a claim was taken from somebody, the one that lost it. */
  session_id: field.sessionId.nullable().default(null),
  /** Why, where the type alone does not tell. */
  reason: z.string().nullable().default(null),
  /** When. */
  timestamp: field.time,
});

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
  };
}

/** Parsing makes a new string for each record: that of all records at once takes less room. */
const SHARED_TYPE_NAMES = new Map<string, string>(EVENT_TYPES.map((type) => [type, type]));

/** `isOwn`: it is known to have no field that this version does not know. */
export function decodeEvent(record: EventRecord, isOwn: boolean): TaskEvent {
  const event: TaskEvent = {
    type: SHARED_TYPE_NAMES.get(record.type) ?? record.type,
    oldStatus: record.old_status,
    newStatus: record.new_status,
    claimedBy: record.claimed_by,
    sessionId: record.session_id,
    reason: record.reason,
    timestamp: Date.parse(record.timestamp),
  };
  const unknownFields = isOwn ? null : unknownFieldsOf(record, KNOWN_FIELDS);
  return unknownFields === null ? event : { ...event, unknownFields };
}
