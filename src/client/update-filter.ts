/** Which updates a subscriber wants. */
import { EVENT_TYPES, type EventType, TASK_STATUSES, type TaskStatus } from "../task/task.ts";
import { invalidInput } from "./task-error.ts";
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

/** @throws TaskError `invalid_request` that names the part that is wrong */
export function compileFilter(filter: UpdateFilter): CompiledFilter {
  if (typeof filter !== "object" || (filter as unknown) === null) {
    throw invalidInput("filter", `must be an object; its parts are ${PARTS.join(", ")}`);
  }
  for (const name of Object.keys(filter)) {
    if (!PARTS.includes(name)) {
      throw invalidInput(`filter.${name}`, `is not known; there are ${PARTS.join(", ")}`);
    }
  }
  const statuses = oneOf("status", filter.status, TASK_STATUSES);
  const types = oneOf("type", filter.type, EVENT_TYPES);
  const sessions = oneOf("session", filter.session);
  const { prefix = "" } = filter;
  if (typeof prefix !== "string") throw invalidInput("filter.prefix", "must be a string");
  const isOfAll = statuses === null && types === null && sessions === null;
  return {
    wantsTask: (taskId) => taskId.startsWith(prefix),
    wants: (update) =>
      isOfAll ||
      ((statuses?.has(update.new_status) ?? true) &&
        (types?.has(update.type) ?? true) &&
        (sessions === null ||
          [update.session_id, update.claimed_by].some((id) => id !== null && sessions.has(id)))),
  };
}

/** @throws TaskError `invalid_request` */
export function requireSince(since: Since): void {
  const isRevision = typeof since === "number" && Number.isSafeInteger(since) && since >= 0;
  if (since === "now" || since === "beginning" || isRevision) return;
  throw invalidInput("since", 'must be "now", "beginning" or the last revision that is known');
}

const PARTS: readonly string[] = ["prefix", "status", "session", "type"];

function oneOf(
  name: string,
  given: string | readonly string[] | undefined,
  known?: readonly string[],
): ReadonlySet<string> | null {
  if (given === undefined) return null;
  const values: readonly unknown[] = [given].flat();
  for (const value of values) {
    if (typeof value !== "string" || known?.includes(value) === false) {
      const wanted = known === undefined ? "a string" : `one of ${known.join(", ")}`;
      throw invalidInput(`filter.${name}`, `must be ${wanted}, or a list of those`);
    }
  }
  return new Set(values as string[]);
}
