/** The reply of each operation when it succeeds. Errors are in `errors.ts`. */
import { z } from "zod";
import { TASK_STATUSES } from "../task/task.ts";
import * as field from "./fields.ts";
import { sentRecord } from "./task-record.ts";
import { VISIBILITIES } from "./visibility.ts";

const ok = z.literal(true);
const lease = z.object({ ttl_seconds: field.ttlSeconds, expires_at: field.time });
const taskIds = z.array(field.taskId);

const claimed = z.object({
  task: sentRecord,
  attempt: field.attempt,
  fencing_token: field.fencingToken,
  revision: field.revision,
  lease,
  already_held: z.boolean(),
});

export const task = z.object({ ok, task: sentRecord, revision: field.revision });
const warnings = z.array(z.string());
export const edited = z.object({ ...task.shape, warnings });
export const get = z.object({
  ...task.shape,
  lease: z
    .object({
      ...lease.shape,
      progress: z.unknown().describe("The last report of the holder; null if there is none"),
    })
    .nullable()
    .describe("The lease of the current claim as this worker has seen it; null if it knows none"),
  dead_ends: taskIds.describe("Failed and cancelled tasks that keep this task blocked, at most 20"),
});
export const claim = z.object({ ok, ...claimed.shape });
const nextClaims = {
  claims: z.array(claimed),
  reasons: z
    .record(z.string(), z.int())
    .describe("Number of tasks that could not be claimed, by reason"),
  next_due_at: field.time.nullable(),
};
export const next = z.object({ ok, ...nextClaims });
export const release = z.object({
  ...task.shape,
  next: z
    .object({
      ...nextClaims,
      error: z
        .object({ code: z.string(), message: z.string(), retryable: z.boolean() })
        .optional()
        .describe("Why no task could be claimed although the claim was released"),
    })
    .optional()
    .describe("The claims, if the request asked for the next tasks"),
});
export const renew = z.object({
  ok,
  attempt: field.attempt,
  lease,
  cancel_requested: z.boolean(),
});
export const verify = z.object({
  ok,
  holds: z.boolean(),
  holder: field.sessionId.nullable(),
  attempt: field.attempt,
  fencing_token: field.fencingToken,
});
export const importTasks = z.object({
  ok,
  created: taskIds,
  unchanged: taskIds,
  conflicting: taskIds.describe("Tasks that exist with another definition; they were not changed"),
  conflicts: z
    .array(z.object({ task_id: field.taskId, created_by: z.string().nullable() }))
    .describe("The same tasks, each with who created it; null if that is not known"),
  warnings,
});
export const list = z.object({
  ok,
  tasks: z.array(sentRecord),
  revision: field.revision.describe("The list is at least as new as this revision"),
  next_cursor: z.string().nullable(),
});

const entry = z.object({
  revision: field.revision,
  task: sentRecord.nullable().describe("null if it was removed, or is not readable as a task"),
});
const hasMore = z
  .boolean()
  .describe("true if there is more: ask again from the last revision of this page");
export const history = z.object({ ok, entries: z.array(entry), has_more: hasMore });
export const changes = z.object({
  ok,
  changes: z.array(
    z.object({
      task_id: field.taskId.optional().describe("Left out if this agent may not see the task"),
      ...entry.shape,
    }),
  ),
  last_revision: field.revision.describe("The newest revision of the bucket"),
  bucket_id: z
    .string()
    .describe(
      "If this id changes, the bucket was created again, and its revisions count from 1 again",
    ),
  complete: z.boolean().describe("false if transitions in between were already removed"),
  has_more: hasMore,
});
const COUNT_OF_STATUS = Object.fromEntries(
  TASK_STATUSES.map((status) => [status, z.int()]),
) as Record<(typeof TASK_STATUSES)[number], z.ZodInt>;
export const stats = z.object({
  ok,
  tasks: z.object(COUNT_OF_STATUS),
  total: z.int(),
  ready: z.int().describe("Available and due"),
  dead_ends: z.int().describe("Blocked by a task that failed or was cancelled"),
  corrupt: z.int().describe("Values in the bucket that are not tasks"),
  leases: z.int(),
  sessions: z.int(),
  release_on_disconnect: z
    .boolean()
    .describe("Whether this worker is notified of lost connections"),
  revision: field.revision,
  worker: z.object({
    id: z.string(),
    version: z.string(),
    uptime_seconds: z.number(),
    waiting: z.int().describe("Parked `next` requests"),
    visibility: z.enum(VISIBILITIES).describe("What agents see of the tasks of others"),
  }),
});

const session = z.object({
  session_id: field.sessionId,
  capabilities: field.capabilities,
  metadata: field.metadata,
  ttl_seconds: field.ttlSeconds,
  registered_at: field.time,
  instance: field.instance
    .optional()
    .describe("The instance that registered the session last; left out if none was named"),
});
export type SessionRecord = z.infer<typeof session>;
export const register = z.object({ ok, session });
export const heartbeat = z.object({
  ok,
  session,
  claims: z.array(
    z.object({
      task_id: field.taskId,
      attempt: field.attempt,
      lease,
      cancel_requested: z.boolean(),
    }),
  ),
  unnamed: z
    .array(z.object({ task_id: field.taskId, attempt: field.attempt }))
    .describe("Claims of the session that the request did not name, and which were not renewed"),
  lost: taskIds.describe("Claims that the session no longer holds"),
  cancelled: taskIds.describe(
    "Claims that were cancelled, or that the session should stop working on",
  ),
});
export const listSessions = z.object({
  ok,
  sessions: z.array(z.object({ ...session.shape, expires_at: field.time, claims: z.int() })),
  next_cursor: z.string().nullable(),
});
export const unregister = z.object({ ok, released: taskIds });
