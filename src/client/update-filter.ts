/** Which updates a subscriber wants. */
import { z } from "zod";
import { EVENT_TYPES, type EventType, TASK_STATUSES, type TaskStatus } from "../task/task.ts";
import { optionSchema } from "./check-options.ts";
import type { TaskUpdate } from "./task-update.ts";

/** All that are given have to fit; of a list, one. */
export interface UpdateFilter {
  /** Of the task's id. */
  readonly prefix?: string;
  /** Of the task after the transition. */
  readonly status?: TaskStatus | readonly TaskStatus[];
  /** The session that caused the transition, or holds the task after it. */
  readonly session?: string | readonly string[];
  /** Of the transition. */
  readonly type?: EventType | readonly EventType[];
}

/** Where a subscription begins: with what comes from now on, after a revision, or with all that is kept. */
export type Since = "now" | "beginning" | number;

/** A filter ready for use. */
export interface CompiledFilter {
  /** Can be asked before the record is read, which is what takes time. */
  wantsTask(taskId: string): boolean;
  wants(update: TaskUpdate): boolean;
}

export const UPDATE_FILTER = optionSchema<UpdateFilter>({
  prefix: z.string(),
  status: oneOrSome(z.enum(TASK_STATUSES), `one of ${TASK_STATUSES.join(", ")}`),
  session: oneOrSome(z.string(), "a string"),
  type: oneOrSome(z.enum(EVENT_TYPES), `one of ${EVENT_TYPES.join(", ")}`),
});

export const SINCE: z.ZodType<Since> = z.union(
  [z.enum(["now", "beginning"]), z.int().min(0)],
  'must be "now", "beginning" or the last revision that is known',
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
