/** Reads a record without parsing it, if this version has written it. `record-pattern.ts` recognizes it. */
import { isFinished, type TaskStatus } from "../task/task.ts";
import { DEFINITION_FIELDS, distinct, NONE } from "./definition-record.ts";
import { MAX_TTL_SECONDS } from "./fields.ts";
import { packLines, type TaskOutline, unlessSame } from "./packed-fields.ts";
import { textsOf } from "./record-pattern.ts";
import { copyOf, sharedAuthor, SharedValues } from "./shared-values.ts";
import type { RecordOrigin } from "./task-record.ts";

/** What an index keeps of a record. */
export interface RecordTexts {
  readonly outline: TaskOutline;
  readonly finishedAt: number | null;
  readonly packed: string;
}

/** Many tasks have the same tags and requirements, and many have the same holder. */
const names = new SharedValues<readonly string[] | null>((json) => {
  const list = JSON.parse(json) as string[];
  return DEFINITION_FIELDS.tags.check(list) ? distinct(list) : null;
});
const sessions = new SharedValues((json) => JSON.parse(json) as string);
const authors = new SharedValues((json) => sharedAuthor(JSON.parse(json) as string));

function namesIn(json: string): readonly string[] | null {
  return json === "[]" ? NONE : names.get(json);
}

/**
 * `hasContent`: otherwise the fields that can be large are left out.
 *
 * @returns `null`: the record has to be parsed, because it is not recognized
 */
export function readRecordTexts(
  record: string,
  origin: RecordOrigin,
  hasContent = true,
): RecordTexts | null {
  const texts = textsOf(record);
  if (texts === null) return null;
  // A field that is left out, or a time that is `null`, is an empty text here.
  const [
    ,
    task_id = "",
    title = "",
    description = "",
    priority = "",
    depends_on = "",
    requires = "",
    tags = "",
    metadata = "",
    payload = "",
    max_failures = "",
    max_lost_leases = "",
    status = "",
    claimed_by = "",
    claimed_at = "",
    attempt = "",
    failures = "",
    lost_leases = "",
    not_before = "",
    result = "",
    error = "",
    created_at = "",
    updated_at = "",
    completed_at = "",
    completed_by = "",
    type = "",
    old_status = "",
    new_status = "",
    event_claimed_by = "",
    session_id = "",
    reason = "",
    timestamp = "",
    principal = "null",
    cancel_requested = "false",
    ttl_seconds = "null",
    claim_request = "null",
    claim_instance = "null",
    fencing_token = "0",
    lease_epoch = "0",
    created_revision = "",
    created_by = "",
  ] = texts;
  const claimedBy = claimed_by === "null" ? null : sessions.get(claimed_by);
  const [neededNames, tagNames] = [namesIn(requires), namesIn(tags)];
  const dependsOn = depends_on === "[]" ? NONE : distinct(JSON.parse(depends_on) as string[]);
  const isRecognized =
    task_id === origin.taskId &&
    (status === "claimed") === (claimedBy !== null) &&
    (ttl_seconds === "null" || Number(ttl_seconds) <= MAX_TTL_SECONDS) &&
    DEFINITION_FIELDS.depends_on.check(dependsOn);
  if (!isRecognized || neededNames === null || tagNames === null) return null;
  const outline = {
    taskId: copyOf(task_id),
    status: status as TaskStatus,
    priority: Number(priority),
    dependsOn,
    requires: neededNames,
    tags: tagNames,
    claimedBy,
    claimRequest: JSON.parse(claim_request) as string | null,
    claimInstance: JSON.parse(claim_instance) as string | null,
    ttlSeconds: ttl_seconds === "null" ? null : Number(ttl_seconds),
    attempt: Number(attempt),
    fencingToken: Number(fencing_token),
    leaseEpoch: Number(lease_epoch),
    notBefore: not_before === "" ? null : Date.parse(not_before),
    createdRevision: created_revision === "" ? origin.revision : Number(created_revision),
    createdBy: created_by === "" ? null : authors.get(created_by),
  };
  // An empty line stands for the usual value.
  const content = (text: string): string => (hasContent ? text : "");
  const packed = packLines([
    title,
    created_at,
    content(description),
    content(metadata),
    content(payload),
    session_id,
    principal,
    max_failures,
    max_lost_leases,
    type,
    old_status,
    unlessSame(updated_at, created_at),
    claimed_at,
    completed_at,
    completed_by,
    content(result),
    reason,
    failures,
    lost_leases,
    content(error),
    cancel_requested,
    new_status === status ? "" : `"${new_status}"`,
    unlessSame(event_claimed_by, claimed_by),
    unlessSame(timestamp, updated_at),
  ]);
  return {
    outline,
    finishedAt: isFinished(outline.status) ? Date.parse(updated_at) : null,
    packed,
  };
}
