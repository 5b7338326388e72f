/** The body of each request. Unknown fields are refused, so that a misspelt option is not ignored. */
import { z } from "zod";
import { RELEASE_OUTCOMES } from "../task/commands.ts";
import { IMPORTED_STATUSES, TASK_STATUSES } from "../task/task.ts";
import * as field from "./fields.ts";
import { definition } from "./definition-record.ts";

const someDefinition = z.object(definition).partial().shape;
const holder = {
  session_id: field.sessionId,
  instance: field.instance.optional(),
  attempt: field.attempt.optional(),
};
const requester = { session_id: field.sessionId.optional() };
const page = {
  limit: z.int().min(1).max(field.MAX_PAGE).default(100),
  cursor: z.string().optional().describe("`next_cursor` of the previous page"),
};

export const noFields = z.strictObject({});

export const create = z.strictObject({
  ...requester,
  task_id: field.taskId.optional(),
  not_before: field.notBefore,
  ...someDefinition,
});

/** One task of an import. A file of tasks has the same fields. */
export const importedTask = z
  .strictObject({
    task_id: field.taskId,
    ...someDefinition,
    not_before: field.notBefore,
    status: z.enum(IMPORTED_STATUSES).optional().describe("How work that was done elsewhere ended"),
    result: z.unknown().optional().describe("With `complete`: the result"),
    completed_at: field.time.optional().describe("With `complete`: when that was. Default: now"),
    completed_by: field.sessionId.optional().describe("With `complete`: by which session"),
  })
  .superRefine((task, context) => {
    const refuse = (name: string, message: string): void => {
      context.addIssue({ code: "custom", path: [name], message });
    };
    if (task.status !== undefined && typeof task.not_before === "string") {
      refuse(
        "not_before",
        `goes with a task that has yet to be done, not with one that is ${task.status}`,
      );
    }
    if (task.status === "complete") return;
    for (const name of ["result", "completed_at", "completed_by"] as const) {
      if ((task[name] ?? null) !== null) refuse(name, "goes with the status complete only");
    }
  });
export const importTasks = z.strictObject({
  ...requester,
  tasks: z.array(importedTask).min(1, "must name at least one task"),
});

export const claim = z.strictObject({
  session_id: field.sessionId,
  instance: field.instance.optional(),
  ttl_seconds: field.ttlSeconds.optional(),
  capabilities: field.capabilities.default([]),
  release_on_disconnect: field.connection.optional(),
});

export const next = z.strictObject({
  ...claim.shape,
  wait_seconds: z
    .number()
    .min(0, `must be between 0 and ${field.MAX_WAIT_SECONDS} seconds`)
    .max(field.MAX_WAIT_SECONDS, `must be between 0 and ${field.MAX_WAIT_SECONDS} seconds`)
    .default(0),
  max: z.int().min(1).max(field.MAX_CLAIMS).default(1).describe("Claims at most so many tasks"),
  tags: field.wantedTags.default([]),
  prefix: field.prefix.default(""),
  request_id: z
    .string()
    .min(1)
    .max(field.MAX_REQUEST_ID_LENGTH)
    .optional()
    .describe("Makes the request idempotent: the same session and request_id get the same claims"),
});

export const renew = z.strictObject({
  ...holder,
  ttl_seconds: field.ttlSeconds.optional(),
  release_on_disconnect: field.connection.optional(),
  progress: z
    .unknown()
    .optional()
    .describe("How far the work has come; kept with the lease and shown by tasks.get"),
});

const DELAY_RULE = `must be between 0 and ${field.MAX_DELAY_SECONDS} seconds (30 days)`;
/** Fields that are allowed only with the status `available`. */
const ofAvailable = {
  delay_seconds: z
    .number()
    .min(0, DELAY_RULE)
    .max(field.MAX_DELAY_SECONDS, DELAY_RULE)
    .optional()
    .describe("With `available`: nobody can claim the task for so long"),
  resume_at: field.time
    .optional()
    .describe("With `available`: nobody can claim the task before this time"),
  cause: field.reason.optional(),
};

/** The session, and the name of the request if it is repeated, are those of the release. */
const nextOfRelease = next.omit({ session_id: true, instance: true, request_id: true });

export const release = z
  .strictObject({
    ...holder,
    status: z.enum(RELEASE_OUTCOMES),
    result: z.unknown().optional(),
    error: z.unknown().optional(),
    retry: z.boolean().default(true).describe("With `failed`: whether another attempt may follow"),
    ...ofAvailable,
    next: nextOfRelease
      .optional()
      .describe("Then claims the next tasks, with the fields of tasks.next; needs `attempt`"),
  })
  .superRefine((body, context) => {
    const given = (Object.keys(ofAvailable) as (keyof typeof ofAvailable)[]).filter(
      (name) => body[name] !== undefined,
    );
    const refuse = (name: string, message: string): void => {
      context.addIssue({ code: "custom", path: [name], message });
    };
    if (body.status !== "available") {
      for (const name of given) refuse(name, `goes with the status available, not ${body.status}`);
    } else if (body.delay_seconds !== undefined && body.resume_at !== undefined) {
      refuse("resume_at", "means the same as delay_seconds: give only one of them");
    }
    if (body.next !== undefined && body.attempt === undefined) {
      refuse("attempt", "is required with next, so that a repetition ends no later claim");
    }
  });

export const verify = z
  .strictObject({
    session_id: field.sessionId.optional(),
    attempt: field.attempt.optional(),
    fencing_token: field.fencingToken.optional(),
  })
  .refine(
    ({ session_id, attempt, fencing_token }) =>
      session_id !== undefined || attempt !== undefined || fencing_token !== undefined,
    {
      path: ["fencing_token"],
      error: "name the fencing_token, the attempt or the session_id",
    },
  );

export const list = z.strictObject({
  status: z
    .union([z.enum(TASK_STATUSES), z.array(z.enum(TASK_STATUSES)).max(TASK_STATUSES.length)], {
      error: `must be one or a list of ${TASK_STATUSES.join(", ")}`,
    })
    .optional(),
  claimed_by: field.sessionId.optional(),
  created_by: z
    .string()
    .max(field.MAX_AUTHOR_LENGTH)
    .optional()
    .describe("Who created the task, such as agent.s1 or session.lead"),
  dead_end: z
    .boolean()
    .optional()
    .describe("Whether the task depends on one that failed or was cancelled"),
  prefix: field.prefix.default(""),
  tags: field.wantedTags.default([]),
  ...page,
});

/** What part of the past to read, of a task or of the bucket. */
const past = {
  since: field.revision.default(0).describe("The last revision that the client knows already"),
  limit: page.limit,
};
export const history = z.strictObject(past);
export const changes = z.strictObject(past);

export const update = z.strictObject({
  ...requester,
  revision: field.revision.optional().describe("Update this revision only; otherwise `conflict`"),
  not_before: field.notBefore,
  ...someDefinition,
});

export const cancel = z.strictObject({
  ...requester,
  reason: field.reason.optional(),
  force: z
    .boolean()
    .default(false)
    .describe("Take the task from its holder at once, without asking it to stop"),
});

export const requeue = z.strictObject({ ...requester, reason: field.reason.optional() });

export const register = z.strictObject({
  instance: field.instance.optional(),
  capabilities: field.capabilities.default([]),
  metadata: field.metadata.default({}),
  ttl_seconds: field.ttlSeconds.optional(),
});

export const heartbeat = z.strictObject({
  instance: field.instance.optional(),
  claims: z
    .array(z.strictObject({ task_id: field.taskId, attempt: field.attempt }))
    .max(field.MAX_PAGE)
    .optional()
    .describe(
      "The claims that the session works on: only these are renewed, and those that it no longer holds " +
        "come back as lost. Without this field, all claims of the session are renewed",
    ),
  release_on_disconnect: field.connection
    .optional()
    .describe("Release the named claims when this connection is lost"),
});

export const unregister = z.strictObject({ instance: field.instance.optional() });

export const listSessions = z.strictObject({ prefix: field.prefix.default(""), ...page });
