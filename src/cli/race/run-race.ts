/** One race: creates the tasks, lets all sessions claim each of them, and removes everything again. */
import type { Calls } from "../../client/calls.ts";
import { clientSettings } from "../../config/client-settings.ts";
import { TaskRemoval } from "../../nats/task-removal.ts";
import { openServedCalls } from "../shared/client.ts";
import type { ConnectionOptions } from "../shared/connection-options.ts";
import { printError } from "../shared/output.ts";
import { type Answer, type Heat, type RaceReport, reportOf, winnersOf } from "./figures.ts";
import { RaceTasks } from "./race-tasks.ts";
import { Runners } from "./runners.ts";

export interface Race {
  /** Of this race alone: `race-` and six hexadecimal digits. */
  readonly name: string;
  readonly tasks: number;
  readonly sessions: number;
}

const NAME = /^race-[0-9a-f]{6}$/;

export function newRaceName(): string {
  return `race-${crypto.randomUUID().slice(0, 6)}`;
}

export function isRaceName(text: string): boolean {
  return NAME.test(text);
}

/** @throws TaskError, ConnectionError or the signal's reason, after the tasks were removed if possible */
export async function runRace(
  { name, tasks: count, sessions }: Race,
  options: ConnectionOptions,
  signal: AbortSignal,
): Promise<RaceReport> {
  return withTasks(name, options, signal, async (tasks, calls) => {
    await tasks.requireRemoval();
    await using runners = await Runners.connect(name, sessions, options);
    const heats: Heat[] = [];
    let seconds = 0;
    try {
      printError(`${name}: ${sessions} sessions claim each of ${count} tasks ...`);
      const ids = await tasks.create(count, signal);
      const startedAt = performance.now();
      for (const [round, taskId] of ids.entries()) {
        const answers = await runners.claim(taskId, round, signal);
        const silent = isUndecided(answers) ? await holderOf(calls, taskId, signal) : null;
        heats.push({ taskId, answers, silentWinner: silent });
      }
      seconds = (performance.now() - startedAt) / 1_000;
    } catch (error) {
      printError(`the race has ended early, after ${heats.length} of ${count} tasks`);
      report(name, await tasks.remove());
      throw error;
    }
    // Their history is the evidence.
    const kept = heats.filter((heat) => winnersOf(heat).length !== 1).map(({ taskId }) => taskId);
    const left_behind = await tasks.remove(new Set(kept));
    return reportOf(heats, { name, sessions, seconds, left_behind });
  });
}

/** Removes what an earlier race has left. Resolves to whether nothing is left any longer. */
export async function removeRace(
  name: string,
  options: ConnectionOptions,
  signal: AbortSignal,
): Promise<boolean> {
  return withTasks(name, options, signal, async (tasks) => {
    await tasks.find(signal);
    const left = await tasks.remove();
    report(name, left);
    return left.length === 0;
  });
}

/** What to say while it is not known whether everything is removed. */
export function leftBehind(name: string): string {
  return (
    `${name} may have left tasks behind. No agent is given them, because they require the capability ` +
    `${name}. Remove them with: if-coordinator race --remove ${name}`
  );
}

function report(name: string, left: readonly string[]): void {
  printError(left.length === 0 ? `nothing of ${name} is left behind` : leftBehind(name));
}

async function withTasks<T>(
  name: string,
  options: ConnectionOptions,
  signal: AbortSignal,
  work: (tasks: RaceTasks, calls: Calls) => Promise<T>,
): Promise<T> {
  const { calls, connection } = await openServedCalls(options);
  try {
    // Without a coordinator, nothing has been created yet.
    await calls.call("tasks.stats", undefined, () => ({}), { signal });
    const removal = await TaskRemoval.open(connection, clientSettings(options).jsDomain);
    return await work(new RaceTasks(calls, removal, name), calls);
  } finally {
    await connection.close();
  }
}

/** Whether no session was told that it has the task, and the answer to some is unknown. */
function isUndecided(answers: readonly Answer[]): boolean {
  const isWon = answers.some(({ refusal }) => refusal === null);
  return !isWon && answers.some(({ refusal }) => refusal === "unavailable");
}

async function holderOf(calls: Calls, taskId: string, signal: AbortSignal): Promise<string | null> {
  const { task } = await calls.call("tasks.get", taskId, () => ({}), { signal });
  return task.claimed_by;
}
