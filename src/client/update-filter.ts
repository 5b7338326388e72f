/** Which updates a subscriber wants. */
import { z } from "zod";
import { EVENT_TYPES, type EventType, TASK_STATUSES, type TaskStatus } from "../task/task.ts";
import { optionSchema } from "./check-options.ts";
import type { TaskUpdate } from "./task-update.ts";

/** All parts that are given must fit. Of a list, one value must fit. */
export interface UpdateFilter {
  /** How the task's id begins. */
  readonly prefix?: string;
  /** The status of the task after the transition. */
  readonly status?: TaskStatus | readonly TaskStatus[];
  /** The session that caused the transition, or holds the task after it. */
  readonly session?: string | readonly string[];
  /** The type of the event. */
  readonly type?: EventType | readonly EventType[];
}

/** Where a subscription begins: now, with all that the history keeps, or after a revision. */
export type Since = "now" | "beginning" | number;

/** A filter that is ready for use. */
export interface CompiledFilter {
  /** Needs only the id, so that an unwanted record is not decoded. */
  wantsTask(taskId: string): boolean;
  wants(update: TaskUpdate): boolean;
}

export const UPDATE_FILTER = optionSchema<UpdateFilter>({
  prefix: z.string(),
  status: oneOrSome(z.enum(TASK_STATUSES), `one of ${TASK_STATUSES.join(", ")}`),
  session: oneOrSome(z.string(), "a string"),
  type: oneOrSome(z.enum(EVENT_TYPES), `one of ${EVENT_TYPES.join(", ")}`),
});

const SINCE_RULE = 'must be "now", "beginning" or the last revision that is known';
export const SINCE: z.ZodType<Since> = z.union(
  [z.enum(["now", "beginning"]), z.int(SINCE_RULE).min(0, SINCE_RULE)],
  SINCE_RULE,
);

/** @param filter one that `UPDATE_FILTER` accepts */
export function compileFilter({
  prefix = "",
  status,
  session,
  type,
}: UpdateFilter): CompiledFilter {
  const statuses = setOf(status);
  const types = setOf(type);
  const sessions = setOf(session);
  const wantsEvery = statuses === null && types === null && sessions === null;
  return {
    wantsTask: (taskId) => taskId.startsWith(prefix),
    wants: (update) =>
      wantsEvery ||
      ((statuses?.has(update.new_status) ?? true) &&
        (types?.has(update.type) ?? true) &&
        (sessions === null ||
          [update.session_id, update.claimed_by].some((id) => id !== null && sessions.has(id)))),
  };
}

/** `null`: any value is wanted. */
function setOf(given: string | readonly string[] | undefined): ReadonlySet<string> | null {
  if (given === undefined) return null;
  return new Set(typeof given === "string" ? [given] : given);
}

function oneOrSome<T extends string>(
  schema: z.ZodType<T>,
  wanted: string,
): z.ZodType<T | readonly T[]> {
  return z.union([schema, z.array(schema)], `must be ${wanted}, or a list of those`);
}
