/** `if-coordinator watch`: every change of every task as it happens, one line each. */
import { setTimeout as delay } from "node:timers/promises";
import { type Command, Option } from "commander";
import type { TaskRemoval, TaskUpdate } from "../client/task-update.ts";
import { withCoordinator } from "./shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "./shared/connection-options.ts";
import { addJsonlOption, type OutputOptions, write } from "./shared/data.ts";
import { reportOf } from "./shared/error-report.ts";
import { EXIT } from "./shared/exit-codes.ts";
import { addExamples } from "./shared/help.ts";
import { printError } from "./shared/output.ts";
import { parseCount } from "./shared/parse-values.ts";
import { Interruption } from "./shared/interruption.ts";
import { canDrawBoard } from "./board/can-draw.ts";
import {
  addFilterOptions,
  filterOf,
  type FilterOptions,
  type WatchFilter,
  withSubagents,
} from "./watch/filter.ts";
import { formatRemoval, formatUpdate } from "./watch/line.ts";
import { parseSince, startOf, type WatchSince } from "./watch/since.ts";
import { jsonText } from "./shared/json-text.ts";
import { printableLines } from "./shared/terminal-text.ts";

interface WatchOptions extends ConnectionOptions, OutputOptions, FilterOptions {
  readonly since?: WatchSince;
  readonly limit?: number;
  readonly board?: boolean;
  readonly retry?: boolean;
}

/** Between two attempts to reach a coordinator. */
const RETRY_MS = 5_000;

export function define(command: Command): void {
  addFilterOptions(command)
    .option(
      "--since <start>",
      "now (the default), beginning, the last revision that you know, or a duration such as 10m",
      parseSince,
    )
    .option("--limit <n>", "end after so many lines", parseCount)
    .option("--retry", "wait for a coordinator if none answers, instead of ending")
    .addOption(
      new Option(
        "--board",
        "show counts, claims, the ready queue and events on one screen, redrawn in place",
      ).conflicts(["limit", "jsonl", "retry"]),
    );
  addConnectionOptions(addJsonlOption(command)).action(watch);
  addExamples(command, [
    "watch",
    "watch --prefix P0. --status complete,failed",
    "watch --mine --since 10m",
    "watch --board",
    "watch --since beginning --jsonl | jq -r .task_id",
  ]);
}

async function watch(options: WatchOptions): Promise<void> {
  if (options.board === true && canDrawBoard()) {
    const { watchBoard } = await import("./board/watch-board.ts");
    await watchBoard(options);
  } else await printLines(options);
}

async function printLines(options: WatchOptions): Promise<void> {
  const filter = withSubagents(filterOf(options));
  if (options.limit === 0) return;
  using interruption = new Interruption();
  const isInterrupted = interruption.happened.then(() => true);
  for (let tries = 1; ; tries++) {
    try {
      await follow(options, filter, interruption.happened);
      return;
    } catch (error) {
      const { text = "", exitCode } = reportOf(error);
      if (options.retry !== true || exitCode !== EXIT.noCoordinator) throw error;
      if (tries === 1)
        printError(`${printableLines(text)}\nif-coordinator: waiting for a coordinator`);
    }
    if (await Promise.race([isInterrupted, delay(RETRY_MS, false)])) return;
  }
}

/** Until a signal comes, or the limit is reached. */
async function follow(
  options: WatchOptions,
  filter: WatchFilter,
  interrupted: Promise<void>,
): Promise<void> {
  await withCoordinator(options, async ({ coordinator }) => {
    // Also says at once if no coordinator answers.
    const { revision } = await coordinator.tasks.stats();
    const start = startOf(options.since ?? { from: "now" }, revision, Date.now());
    const lines = new Lines(options);
    await coordinator.subscribeTaskUpdates(
      (update) => {
        if (filter.wants(update) && start.wants(update)) return lines.update(update);
        return undefined;
      },
      {
        since: start.revision,
        filter: filter.forSubscription,
        ...(filter.wantsRemovals
          ? { onRemoved: (removal) => (filter.wants(removal) ? lines.removal(removal) : undefined) }
          : {}),
      },
    );
    await Promise.race([interrupted, lines.reachedLimit, coordinator.run()]);
  });
}

/** Writes one line for each update, and counts them. */
class Lines {
  /** Resolves when the limit is reached. */
  readonly reachedLimit: Promise<void>;
  readonly #isJson: boolean;
  #left: number;
  #reached: () => void = () => undefined;

  constructor({ jsonl = false, limit = Infinity }: WatchOptions) {
    this.#isJson = jsonl;
    this.#left = limit;
    this.reachedLimit = new Promise((resolve) => {
      this.#reached = resolve;
    });
  }

  /** Until the line is written, the next update waits in the bucket and not in memory. */
  update(update: TaskUpdate): Promise<void> {
    const { revision, transitions_missing: isMissing } = update;
    if (isMissing && this.#left > 0) {
      printError(
        `if-coordinator: transitions before revision ${revision} are gone from the bucket`,
      );
    }
    return this.#write(this.#isJson ? jsonText(update) : formatUpdate(update));
  }

  removal(removal: TaskRemoval): Promise<void> {
    const document = { type: "task_removed", ...removal };
    return this.#write(this.#isJson ? jsonText(document) : formatRemoval(removal));
  }

  async #write(line: string): Promise<void> {
    if (this.#left <= 0) return;
    this.#left--;
    await write(`${line}\n`);
    if (this.#left <= 0) this.#reached();
  }
}
