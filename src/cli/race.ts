/** `if-coordinator race`: many sessions claim the same tasks, and exactly one of them must win each. */
import type { Command } from "commander";
import { addConnectionOptions, type ConnectionOptions } from "./shared/connection-options.ts";
import { type OutputOptions, show } from "./shared/data.ts";
import { UsageError } from "./shared/errors.ts";
import { EXIT } from "./shared/exit-codes.ts";
import { addExamples } from "./shared/help.ts";
import { parseCount } from "./shared/parse-values.ts";
import { interruptible } from "./shared/interruptible.ts";
import { formatRace } from "./race/format-race.ts";
import { isRaceName, leftBehind, newRaceName, removeRace, runRace } from "./race/run-race.ts";

const MOST_TASKS = 10_000;
/** Each has a connection of its own. */
const MOST_SESSIONS = 1_000;

interface RaceOptions extends ConnectionOptions, OutputOptions {
  readonly tasks: number;
  readonly sessions: number;
  readonly remove?: string;
}

export function define(command: Command): void {
  command
    .option("--tasks <n>", "tasks to compete for", parseCount, 100)
    .option("--sessions <n>", "sessions that claim each task at the same time", parseCount, 50)
    .option("--remove <name>", "remove what an earlier race had to leave, such as race-1f3a9c")
    .option("--json", "print one JSON document");
  addConnectionOptions(command).action(race);
  addExamples(command, ["race", "race --tasks 1000 --sessions 20 --json"]);
}

async function race({ remove, ...options }: RaceOptions): Promise<void> {
  if (remove !== undefined) {
    await removeEarlier(remove, options);
    return;
  }
  const { tasks, sessions } = options;
  requireBetween("--tasks", tasks, MOST_TASKS);
  requireBetween("--sessions", sessions, MOST_SESSIONS);
  const name = newRaceName();
  const report = await interruptible(
    (signal) => runRace({ name, tasks, sessions }, options, signal),
    () => leftBehind(name),
  );
  await show(options, report, () => formatRace(report));
  if (!report.passed) process.exitCode = EXIT.failed;
}

async function removeEarlier(name: string, options: ConnectionOptions): Promise<void> {
  if (!isRaceName(name)) {
    throw new UsageError(`--remove ${name}: give the name of a race, such as race-1f3a9c`);
  }
  const isGone = await interruptible(
    (signal) => removeRace(name, options, signal),
    () => leftBehind(name),
  );
  if (!isGone) process.exitCode = EXIT.failed;
}

function requireBetween(option: string, count: number, most: number): void {
  if (count >= 1 && count <= most) return;
  throw new UsageError(`${option} ${count}: give a number from 1 to ${most}`);
}
