/** The result of a wait in one sentence. */
import { formatDuration } from "../shared/time.ts";
import { type Condition, verdictOn } from "./condition.ts";
import type { WaitedTask, WaitResult } from "./named-tasks.ts";

const MAX_NAMED = 5;

/** What was waited for. */
export interface Waited {
  readonly condition: Condition;
  /** `null`: the tasks were named. Otherwise all tasks with this prefix. */
  readonly prefix: string | null;
  readonly any: boolean;
  readonly timeoutMs: number | null;
}

export function resultText(
  { outcome, tasks, has_more: hasMore }: WaitResult,
  waited: Waited,
): string {
  const { condition, timeoutMs } = waited;
  switch (outcome) {
    case "holds":
      return successText(tasks, waited);
    case "ended_otherwise": {
      const ended = withVerdict(tasks, condition, "hopeless");
      return (
        `waiting has no point, because ${waited.any ? "no task" : "not every task"} can become ` +
        `${condition.text} now: ${named(ended, hasMore)}`
      );
    }
    case "not_found": {
      const missing = tasks.filter(({ status }) => status === null).map(({ task_id: id }) => id);
      const what =
        waited.prefix === null
          ? `there is no task ${listed(missing)}`
          : `there is no task${waited.prefix === "" ? "" : ` that begins with ${waited.prefix}`}`;
      return `${what}: create it, or give --await-creation`;
    }
    case "timed_out": {
      const open = tasks.filter(
        ({ status }) => status === null || verdictOn(status, condition) !== "holds",
      );
      const [first] = open;
      const hint = first === undefined ? "" : `. if-coordinator task why ${first.task_id} says why`;
      return (
        `timed out after ${formatDuration(timeoutMs ?? 0)}: not ${condition.text} yet: ` +
        `${open.length === 0 ? "unknown, because no coordinator answers" : named(open, hasMore)}${hint}`
      );
    }
  }
}

function successText(tasks: readonly WaitedTask[], { condition, prefix, any }: Waited): string {
  const { text } = condition;
  const ofPrefix = prefix === null || prefix === "" ? "" : ` that begins with ${prefix}`;
  if (prefix !== null)
    return any ? `a task${ofPrefix} is ${text}` : `every task${ofPrefix} is ${text}`;
  const done = withVerdict(tasks, condition, "holds");
  const [first] = done;
  if (done.length === 1 && first !== undefined) return `${first.task_id} is ${first.status ?? ""}`;
  return `${done.length} tasks are ${text}: ${counts(done)}`;
}

/** `2 complete, 1 failed`. */
function counts(tasks: readonly WaitedTask[]): string {
  const byStatus = new Map<string, number>();
  for (const { status } of tasks) {
    if (status !== null) byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
  }
  return [...byStatus].map(([status, count]) => `${count} ${status}`).join(", ");
}

function withVerdict(
  tasks: readonly WaitedTask[],
  condition: Condition,
  verdict: ReturnType<typeof verdictOn>,
): WaitedTask[] {
  return tasks.filter(({ status }) => status !== null && verdictOn(status, condition) === verdict);
}

/** `a (claimed by session-1), b (blocked) and 3 more`. */
function named(tasks: readonly WaitedTask[], hasMore: boolean): string {
  return listed(
    tasks.map(({ task_id: id, status, claimed_by: holder }) => {
      const by = holder === null ? "" : ` by ${holder}`;
      return `${id} (${status === null ? "does not exist" : `${status}${by}`})`;
    }),
    hasMore,
  );
}

function listed(parts: readonly string[], hasMore = false): string {
  const rest = parts.length - MAX_NAMED;
  const shown = parts.slice(0, MAX_NAMED).join(", ");
  if (rest <= 0) return shown;
  return `${shown} and ${hasMore ? "more than " : ""}${rest} more`;
}
