/** `if-coordinator simulate`: sessions work through a project, and the history in the bucket is checked. */
import type { Command } from "commander";
import type { ImportedTask } from "../client/import-tasks.ts";
import {
  type GivenOptions,
  NUMBER_OPTIONS,
  parseOptions,
  type SimulationOptions,
} from "../simulation/options.ts";
import { runSimulation, type Summary } from "../simulation/run.ts";
import { readTaskFile } from "../simulation/task-file.ts";
import { addExamples } from "./shared/help.ts";
import { print, printError } from "./shared/output.ts";
import { createProgressDisplay } from "./simulate/progress.ts";
import { formatOptions, formatSummary } from "./simulate/report.ts";
import { startTemporaryCoordinator } from "./simulate/temporary-coordinator.ts";

export function define(command: Command): void {
  for (const option of Object.values(NUMBER_OPTIONS)) {
    const fallback = option.default ?? "random";
    command.option(`${option.flag} <n>`, `${option.description} (default: ${fallback})`);
  }
  command
    .option(
      "--file <path>",
      "JSON file with the tasks (default: a real project that comes with the package)",
    )
    .option("--json", "print one JSON document")
    .action(simulate);
  addExamples(command, [
    "simulate",
    "simulate --sessions 20 --crash-rate 0.1 --seed 7",
    "simulate --file tasks.json --json",
  ]);
}

async function simulate(given: GivenOptions & { readonly json?: true }): Promise<void> {
  const options = parseOptions(given);
  const tasks = await readTaskFile(options.file);
  printError(formatOptions(options, tasks.length));
  const summary = await withInterruption((signal) => run(options, tasks, signal));
  const text = given.json === true ? JSON.stringify(summary, null, 2) : formatSummary(summary);
  print(text);
  if (!summary.passed) process.exitCode = 1;
}

async function run(
  options: SimulationOptions,
  tasks: readonly ImportedTask[],
  signal: AbortSignal,
): Promise<Summary> {
  const { workers } = options;
  const coordinator = await startTemporaryCoordinator({ workers, notify: printError });
  const display = createProgressDisplay();
  try {
    return await runSimulation(options, tasks, {
      servers: [coordinator.natsUrl],
      signal,
      onProgress: (progress) => {
        display.show(progress);
      },
    });
  } finally {
    display.stop();
    await coordinator.stop();
  }
}

/** Ctrl-C ends the simulation early: the server stops and its data is removed. A second one exits at once. */
async function withInterruption<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(1);
    controller.abort();
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  try {
    return await run(controller.signal);
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}
