/**
 * The fields of a task that are seldom read, as one text. It takes a third of the memory of the objects and
 * strings, and the garbage collector has less to look at.
 *
 * Each field is a line: a time as the wire spells it, anything else as JSON. A line is empty if the field has
 * the value that it has in a new task, and empty lines at the end are left out.
 */
import { createTask, DEFINITION_DEFAULTS, type Task, type TaskEvent } from "../task/task.ts";
import { iso } from "./instants.ts";
import type { ContentField } from "./left-out.ts";
import { sharedTypeName } from "./task-event.ts";

/** The fields of a task that indexes and follow-ups read: each worker looks at them for each change. */
export type TaskOutline = Pick<
  Task,
  | "taskId"
  | "status"
  | "priority"
  | "dependsOn"
  | "requires"
  | "tags"
  | "claimedBy"
  | "claimRequest"
  | "claimInstance"
  | "ttlSeconds"
  | "attempt"
  | "fencingToken"
  | "leaseEpoch"
  | "notBefore"
  | "createdRevision"
  | "createdBy"
>;

/**
 * `hasContent`: otherwise the fields that can be large are left out.
 *
 * @returns `null` if the task has fields that this version does not know, or no event
 */
export function packTask(task: Task, hasContent = true): string | null {
  const { lastEvent } = task;
  if (task.unknownFields !== null || lastEvent === null) return null;
  return lastEvent.unknownFields === undefined
    ? packLines(linesOf(hasContent ? task : { ...task, ...USUAL_CONTENT }, lastEvent))
    : null;
}

/** The text of the fields, given in the order of `linesOf`. */
export function packLines(lines: readonly string[]): string {
  let end = lines.length;
  while (lines[end - 1] === USUAL_LINES[end - 1]) end--;
  const shown = lines.slice(0, end);
  for (let i = 0; i < end; i++) if (shown[i] === USUAL_LINES[i]) shown[i] = "";
  return shown.join("\n");
}

/** The line of a field that mostly repeats another one. */
export function unlessSame(line: string, as: string): string {
  return line === as ? "" : line;
}

/** Fields that most tasks lack are last. */
function linesOf(task: Task, event: TaskEvent): string[] {
  const [createdAt, updatedAt] = [iso(task.createdAt), iso(task.updatedAt)];
  return [
    json(task.title),
    createdAt,
    json(task.description),
    json(task.metadata),
    json(task.payload),
    json(event.sessionId),
    json(event.principal),
    json(task.maxFailures),
    json(task.maxLostLeases),
    json(event.type),
    json(event.oldStatus),
    unlessSame(updatedAt, createdAt),
    time(task.claimedAt),
    time(task.completedAt),
    json(task.completedBy),
    json(task.result),
    json(event.reason),
    json(task.failures),
    json(task.lostLeases),
    json(task.error),
    json(task.cancelRequested),
    event.newStatus === task.status ? "" : json(event.newStatus),
    event.claimedBy === task.claimedBy ? "" : json(event.claimedBy),
    unlessSame(iso(event.timestamp), updatedAt),
  ];
}

/** The whole task. */
export function unpackTask(outline: TaskOutline, packed: string): Task {
  // In the order of `linesOf`.
  const [
    title,
    created,
    description,
    metadata,
    payload,
    sessionId,
    principal,
    maxFailures,
    maxLostLeases,
    type,
    oldStatus,
    updated,
    claimedAt,
    completedAt,
    completedBy,
    result,
    reason,
    failures,
    lostLeases,
    error,
    cancelRequested,
    newStatus,
    eventClaimedBy,
    timestamp,
  ] = packed.split("\n");
  const createdAt = millis(created) ?? USUAL.createdAt;
  const updatedAt = millis(updated) ?? createdAt;
  return {
    title: parsed(title, USUAL.title),
    description: parsed(description, USUAL.description),
    priority: outline.priority,
    dependsOn: outline.dependsOn,
    requires: outline.requires,
    tags: outline.tags,
    metadata: parsed(metadata, USUAL.metadata),
    payload: parsed(payload, USUAL.payload),
    maxFailures: parsed(maxFailures, USUAL.maxFailures),
    maxLostLeases: parsed(maxLostLeases, USUAL.maxLostLeases),
    taskId: outline.taskId,
    status: outline.status,
    claimedBy: outline.claimedBy,
    claimedAt: millis(claimedAt),
    ttlSeconds: outline.ttlSeconds,
    claimRequest: outline.claimRequest,
    claimInstance: outline.claimInstance,
    attempt: outline.attempt,
    fencingToken: outline.fencingToken,
    leaseEpoch: outline.leaseEpoch,
    failures: parsed(failures, USUAL.failures),
    lostLeases: parsed(lostLeases, USUAL.lostLeases),
    notBefore: outline.notBefore,
    cancelRequested: parsed(cancelRequested, USUAL.cancelRequested),
    result: parsed(result, USUAL.result),
    error: parsed(error, USUAL.error),
    createdBy: outline.createdBy,
    createdAt,
    updatedAt,
    completedAt: millis(completedAt),
    completedBy: parsed(completedBy, USUAL.completedBy),
    createdRevision: outline.createdRevision,
    lastEvent: {
      type: sharedTypeName(parsed(type, USUAL_EVENT.type)),
      oldStatus: parsed(oldStatus, USUAL_EVENT.oldStatus),
      newStatus: parsed<TaskEvent["newStatus"]>(newStatus, outline.status),
      claimedBy: parsed(eventClaimedBy, outline.claimedBy),
      sessionId: parsed(sessionId, USUAL_EVENT.sessionId),
      reason: parsed(reason, USUAL_EVENT.reason),
      timestamp: millis(timestamp) ?? updatedAt,
      principal: parsed(principal, USUAL_EVENT.principal),
    },
    unknownFields: null,
  };
}

/** `JSON.stringify` takes three times as long for values that need no quotes. */
function json(value: unknown): string {
  if (value === null) return "null";
  return typeof value === "number" ? String(value) : JSON.stringify(value);
}

function time(millis: number | null): string {
  return millis === null ? "" : iso(millis);
}

/** The code that made the line has checked its type. */
function parsed<T>(line: string | undefined, usual: T): T {
  return line === undefined || line === "" ? usual : (JSON.parse(line) as T);
}

function millis(line: string | undefined): number | null {
  return line === undefined || line === "" ? null : Date.parse(line);
}

/** A new task, whose values need no lines. */
const USUAL = createTask("", DEFINITION_DEFAULTS, { sessionId: null, blocked: false, now: 0 });
const USUAL_EVENT = USUAL.lastEvent;
const USUAL_LINES = linesOf(USUAL, USUAL_EVENT);
/** Of a task without content. It needs no lines. */
const { description, metadata, payload, result, error } = USUAL;
const USUAL_CONTENT: Pick<Task, ContentField> = { description, metadata, payload, result, error };
