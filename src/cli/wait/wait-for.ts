/**
 * Waits until a condition holds. It subscribes to updates first and reads the tasks then, so no change can
 * fall in between. After that it asks again only when updates say that the answer may have changed.
 */
import type { CallOptions } from "../../client/call-options.ts";
import type { Coordinator } from "../../client/coordinator.ts";
import { hasCode } from "../../client/task-error.ts";
import { ListedGroup } from "./listed-group.ts";
import { NamedTasks, type Outcome, type WaitResult, type WaitRules } from "./named-tasks.ts";
import { TaskGroup } from "./task-group.ts";
import { WakeUp } from "./wake-up.ts";
import { watchTasks } from "./watch-tasks.ts";

/** Requests at the same time. */
const CONCURRENCY = 16;

/** @param signal ends the wait, but not the first look at the tasks */
export async function waitForNamed(
  coordinator: Coordinator,
  ids: readonly string[],
  rules: WaitRules,
  signal: AbortSignal,
): Promise<WaitResult> {
  const tasks = new NamedTasks(ids, rules);
  const isNamed = new Set(ids);
  const wakeUp = new WakeUp(signal);
  let mustRead = true;
  const learn = (...[id, revision, state]: Parameters<NamedTasks["learn"]>): void => {
    if (!isNamed.has(id)) return;
    tasks.learn(id, revision, state);
    wakeUp.notify();
  };
  const [only = ""] = ids.length === 1 ? ids : [];
  await watchTasks(coordinator, only, {
    updated: (task, revision) => {
      learn(task.task_id, revision, task);
    },
    removed: (id, revision) => {
      learn(id, revision, null);
    },
    interrupted: () => {
      tasks.forget();
      mustRead = true;
      wakeUp.notify();
    },
  });
  const look = async (options: CallOptions): Promise<Outcome | null> => {
    if (mustRead) {
      mustRead = false;
      await readAll(coordinator, ids, tasks, options);
    }
    return tasks.outcome();
  };
  const outcome = await untilDecided(look, wakeUp, signal);
  return { outcome, tasks: tasks.tasks(), has_more: false };
}

/** @param signal ends the wait, but not the first look at the tasks */
export async function waitForGroup(
  coordinator: Coordinator,
  prefix: string,
  rules: WaitRules,
  signal: AbortSignal,
): Promise<WaitResult> {
  const group = new TaskGroup(rules.condition, rules.any);
  const listed = new ListedGroup(coordinator.tasks, prefix, rules);
  const wakeUp = new WakeUp(signal);
  const wakeIfNeeded = (): void => {
    if (group.mustList || group.isProven) wakeUp.notify();
  };
  await watchTasks(coordinator, prefix, {
    updated: ({ task_id: id, status }) => {
      group.update(id, status);
      wakeIfNeeded();
    },
    removed: (id) => {
      group.settle(id);
      wakeIfNeeded();
    },
    interrupted: () => {
      group.forget();
      wakeIfNeeded();
    },
  });
  const look = async (options: CallOptions): Promise<Outcome | null> => {
    while (group.mustList && !group.isProven) {
      group.beginList();
      const { outcome, open } = await listed.look(options);
      if (outcome !== null) return outcome;
      group.endList(open);
    }
    return group.isProven ? "holds" : null;
  };
  const outcome = await untilDecided(look, wakeUp, signal);
  return { outcome, ...(await listed.examplesOf(outcome)) };
}

/** Looks, and looks again after each wake-up, until there is an outcome. */
async function untilDecided(
  look: (options: CallOptions) => Promise<Outcome | null>,
  wakeUp: WakeUp,
  signal: AbortSignal,
): Promise<Outcome | "timed_out"> {
  try {
    let outcome = await look({});
    while (outcome === null) {
      if (!(await wakeUp.sleep())) return "timed_out";
      // The connection may be lost for longer than a request is patient.
      outcome = await look({ deadlineMs: Infinity, signal });
    }
    return outcome;
  } catch (error) {
    if (signal.aborted && error === signal.reason) return "timed_out";
    throw error;
  }
}

async function readAll(
  coordinator: Coordinator,
  ids: readonly string[],
  tasks: NamedTasks,
  options: CallOptions,
): Promise<void> {
  const read = async (id: string): Promise<void> => {
    try {
      const { task, revision } = await coordinator.tasks.get(id, options);
      tasks.learn(id, revision, task);
    } catch (error) {
      if (!hasCode(error, "not_found")) throw error;
      tasks.learn(id, 0, null);
    }
  };
  const rest = new Set(ids).values();
  const readOn = async (): Promise<void> => {
    for (const id of rest) await read(id);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, readOn));
}
