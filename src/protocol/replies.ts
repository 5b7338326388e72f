/** What each operation answers when it succeeds. Errors are in `errors.ts`. */
import { z } from "zod";
import { TASK_STATUSES } from "../task/task.ts";
import * as field from "./fields.ts";
import { taskRecord } from "./task-record.ts";

const ok = z.literal(true);
const lease = z.object({ ttl_seconds: field.ttlSeconds, expires_at: field.time });
const taskIds = z.array(field.taskId);

const claimed = z.object({
  task: taskRecord,
  attempt: field.attempt,
  fencing_token: field.fencingToken,
  revision: field.revision,
  lease,
  already_held: z.boolean(),
});

export const task = z.object({ ok, task: taskRecord, revision: field.revision });
const warnings = z.array(z.string());
export const edited = z.object({ ...task.shape, warnings });
export const get = z.object({
  ...task.shape,
  lease: z
    .object({
      ...lease.shape,
      progress: z.unknown().describe("What the holder has reported last, null if nothing"),
    })
    .nullable()
    .describe("Of the current claim, as far as this worker has seen it; null: it knows of none"),
  dead_ends: taskIds.describe("Failed and cancelled tasks that keep it blocked, at most 20"),
});
export const claim = z.object({ ok, ...claimed.shape });
export const next = z.object({
  ok,
  claims: z.array(claimed),
  reasons: z.record(z.string(), z.int()).describe("Tasks that could not be had, by reason"),
  next_due_at: field.time.nullable(),
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
  conflicting: taskIds.describe("Exist with different content and were left alone"),
  warnings,
});
export const list = z.object({
  ok,
  tasks: z.array(taskRecord),
  revision: field.revision.describe("The list is at least as new as this revision"),
  next_cursor: z.string().nullable(),
});

const entry = z.object({
  revision: field.revision,
  task: taskRecord.nullable().describe("null: removed, or not readable as a task"),
});
const hasMore = z.boolean().describe("Ask again from the last revision of this page");
export const history = z.object({ ok, entries: z.array(entry), has_more: hasMore });
export const changes = z.object({
  ok,
  changes: z.array(z.object({ task_id: field.taskId, ...entry.shape })),
  last_revision: field.revision.describe("The newest revision of the bucket"),
  bucket_id: z.string().describe("Another one: the bucket was made anew, and counts from 1 again"),
  complete: z.boolean().describe("false: transitions in between were trimmed"),
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
  corrupt: z.int().describe("Values in the bucket that are no tasks"),
  leases: z.int(),
  sessions: z.int(),
  release_on_disconnect: z.boolean().describe("Whether this worker hears of lost connections"),
  revision: field.revision,
  worker: z.object({
    id: z.string(),
    version: z.string(),
    uptime_seconds: z.number(),
    waiting: z.int().describe("Parked `next` requests"),
  }),
});

const session = z.object({
  session_id: field.sessionId,
  capabilities: field.capabilities,
  metadata: field.metadata,
  ttl_seconds: field.ttlSeconds,
  registered_at: field.time,
  instance: field.instance.optional().describe("That registered it last; left out if none did"),
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
    .describe("Claims of the session that the request could have named and did not: not renewed"),
  lost: taskIds.describe("Claims that the session no longer holds"),
  cancelled: taskIds.describe(
    "Claims that the session should stop working on, or that were cancelled",
  ),
});
export const listSessions = z.object({
  ok,
  sessions: z.array(z.object({ ...session.shape, claims: z.int() })),
  next_cursor: z.string().nullable(),
});
export const unregister = z.object({ ok, released: taskIds });
