/** `if-coordinator task wait`: waits until tasks are finished, or until another condition holds. */
import type { Command } from "commander";
import { startTimer } from "../../timers.ts";
import { withCoordinator } from "../shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "../shared/connection-options.ts";
import { addJsonOption, type OutputOptions, show } from "../shared/data.ts";
import { ExitError, UsageError } from "../shared/errors.ts";
import { EXIT, type ExitCode } from "../shared/exit-codes.ts";
import { addExamples } from "../shared/help.ts";
import { parseDuration, parseTaskId, parseText } from "../shared/parse-values.ts";
import { type Condition, FINISHED, parseCondition } from "../wait/condition.ts";
import type { WaitResult } from "../wait/named-tasks.ts";
import { resultText } from "../wait/result-text.ts";
import { waitForGroup, waitForNamed } from "../wait/wait-for.ts";

interface WaitOptions extends ConnectionOptions, OutputOptions {
  readonly for?: Condition;
  readonly prefix?: string;
  readonly all?: boolean;
  readonly any?: boolean;
  readonly awaitCreation?: boolean;
}

const EXIT_OF_OUTCOME: Readonly<Record<WaitResult["outcome"], ExitCode>> = {
  holds: EXIT.done,
  ended_otherwise: EXIT.failed,
  not_found: EXIT.notFound,
  timed_out: EXIT.timedOut,
};

export function define(command: Command): void {
  command
    .argument("[id...]", "ids of the tasks", collectIds)
    .option("--prefix <prefix>", "wait for all tasks whose id begins with this", parseText)
    .option("--all", "wait for all tasks of the coordinator")
    .option(
      "--for <condition>",
      `${FINISHED}, or one or more statuses with commas, such as complete (default: ${FINISHED})`,
      parseCondition,
    )
    .option("--any", "end with the first task for which the condition holds")
    .option("--await-creation", "wait also for tasks that do not exist yet")
    .option(
      "--timeout <duration>",
      "how long to wait, such as 5m (default: no limit)",
      parseDuration,
    );
  addConnectionOptions(addJsonOption(command)).action(wait);
  addExamples(command, [
    "task wait P0.5.1 P0.5.2 --timeout 10m",
    "task wait --prefix P0. --for complete && ./deploy.sh",
    "task wait --all --any --for available",
  ]);
}

async function wait(ids: readonly string[], options: WaitOptions): Promise<void> {
  const { timeout: timeoutMs = null, any = false, awaitCreation = false, ...rest } = options;
  const { for: condition = parseCondition(FINISHED), ...connection } = rest;
  const prefix = prefixOf(ids, options);
  const rules = { condition, any, awaitsCreation: awaitCreation };
  await withCoordinator(connection, async ({ coordinator }) => {
    const result = await within(timeoutMs, (signal) =>
      prefix === null
        ? waitForNamed(coordinator, ids, rules, signal)
        : waitForGroup(coordinator, prefix, rules, signal),
    );
    const text = resultText(result, { condition, prefix, any, timeoutMs });
    const exitCode = EXIT_OF_OUTCOME[result.outcome];
    if (options.json === true || exitCode === EXIT.done) {
      await show(options, toDocument(result, condition), () => text);
    }
    if (exitCode !== EXIT.done) throw new ExitError(exitCode, text);
  });
}

function collectIds(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, parseTaskId(text)];
}

/** `null`: the tasks are named. @throws UsageError */
function prefixOf(ids: readonly string[], { prefix, all }: WaitOptions): string | null {
  const given = [ids.length > 0, prefix !== undefined, all === true].filter(Boolean).length;
  if (given !== 1) throw new UsageError("say what to wait for: ids of tasks, --prefix or --all");
  return ids.length > 0 ? null : (prefix ?? "");
}

function toDocument({ outcome, ...rest }: WaitResult, { wanted }: Condition): object {
  return { outcome, statuses: wanted, ...rest };
}

/** Aborts the signal when the time is over. `null`: never. */
async function within<T>(ms: number | null, wait: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const timeout = new AbortController();
  const stopTimer = startTimer(ms ?? Infinity, () => {
    timeout.abort();
  });
  try {
    return await wait(timeout.signal);
  } finally {
    stopTimer();
  }
}
