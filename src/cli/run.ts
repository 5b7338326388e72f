/** `if-coordinator run`: runs a program for each task, so that any program is a worker. */
import type { Command } from "commander";
import { defaultSession } from "../client/claim-options.ts";
import { MAX_DELAY_SECONDS } from "../protocol/fields.ts";
import { commandEnvironment } from "../config/command-environment.ts";
import { clientSettings, sessionFromEnvironment } from "../config/client-settings.ts";
import { CommandStartError } from "./run/command-process.ts";
import { exitCodeOf, exitCodeOfInterrupt } from "./run/exit-code.ts";
import { programProblem } from "./run/find-program.ts";
import { Interrupts } from "./run/interrupts.ts";
import { Notices } from "./run/notices.ts";
import { Runner, type RunnerOptions, type RunSummary } from "./run/runner.ts";
import { withCoordinator } from "./shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "./shared/connection-options.ts";
import { onOutputError } from "./shared/command-end.ts";
import { addJsonlOption, type OutputOptions } from "./shared/data.ts";
import { ExitError, UsageError } from "./shared/errors.ts";
import { EXIT } from "./shared/exit-codes.ts";
import { addExamples } from "./shared/help.ts";
import {
  collectList,
  parseCount,
  parseDuration,
  parseSeconds,
  parseSessionId,
  parseText,
} from "./shared/parse-values.ts";
import type { SessionOption } from "./shared/session-option.ts";
import { jsonText } from "./shared/json-text.ts";

interface RunFlags extends ConnectionOptions, OutputOptions, SessionOption {
  readonly once?: boolean;
  readonly untilEmpty?: boolean;
  readonly wait?: number;
  readonly prefix?: string;
  readonly tag?: readonly string[];
  readonly capability?: readonly string[];
  readonly ttl?: number;
  readonly concurrency: number;
  readonly grace?: number;
  readonly retryDelay?: number;
  readonly quiet?: boolean;
}

const DEFAULT_GRACE_MS = 10_000;
const DEFAULT_RETRY_DELAY_SECONDS = 60;
const MAX_CONCURRENCY = 1_000;

export function define(command: Command): void {
  command
    .argument("<command...>", "program to run for each task, with its arguments, after --")
    .option(
      "-s, --session <id>",
      "your session (default: IF_COORDINATOR_SESSION, or a new one)",
      parseSessionId,
    )
    .optionsGroup("When to end (default: when it is stopped):")
    .option("--once", "after one task")
    .option("--until-empty", "when no task is left that it could do, now or later")
    .option("--wait <duration>", "when no task came for so long, such as 30s", parseDuration)
    .optionsGroup("Which tasks:")
    .option("--prefix <prefix>", "only tasks whose id begins with this", parseText)
    .option("--tag <name,...>", "only tasks that have all of these tags", collectList)
    .option("--capability <name,...>", "what the program can do; can be repeated", collectList)
    .optionsGroup("How:")
    .option("--ttl <duration>", "length of the lease, which is renewed (default: 5m)", parseSeconds)
    .option("--concurrency <n>", "how many programs run at a time", parseCount, 1)
    .option(
      "--grace <duration>",
      "from SIGTERM to SIGKILL when a program must stop (default: 10s)",
      parseDuration,
    )
    .option(
      "--retry-delay <duration>",
      "how long a task waits after exit code 75 (default: 60s)",
      parseSeconds,
    )
    .option("-q, --quiet", "only the output of the programs, and what is wrong");
  addConnectionOptions(addJsonlOption(command)).action(run);
  addExamples(command, [
    "run -- ./agent.sh",
    "run --session s1 --prefix P0. --capability python -- python3 agent.py",
    "run --until-empty -- sh -c 'echo \"did $TASK_TITLE\"'",
    "run --once --wait 30s -- ./agent.sh",
  ]);
}

async function run(command: [string, ...string[]], flags: RunFlags): Promise<void> {
  check(flags);
  const env = commandEnvironment(flags);
  const problem = programProblem(command[0], env.PATH ?? "");
  if (problem !== null) throw new UsageError(problem);
  const notices = new Notices(process.stderr, flags.quiet === true);
  const interrupts = new Interrupts((signal) => process.exit(exitCodeOfInterrupt(signal)));
  onOutputError((error) => {
    if (error.code !== "EPIPE") notices.warn(`the output cannot be written: ${error.message}`);
    interrupts.interrupt("SIGTERM", performance.now());
  });
  // Each program that runs listens to these.
  for (const stream of [process.stdout, process.stderr]) stream.setMaxListeners(0);
  try {
    await withCoordinator(
      flags,
      async ({ coordinator }) => {
        // Before this, there is nothing to put in order: a signal ends the process.
        interrupts.listen();
        const options = runnerOptions(command, flags, { env, notices, interrupts });
        const summary = await new Runner(coordinator, options).run();
        end(summary, flags, interrupts);
      },
      notices.logger,
    );
  } catch (error) {
    throw explained(error);
  }
  // A slow reader must get everything.
  await new Promise((resolve) => process.stdout.write("", resolve));
}

/** @throws UsageError */
function check({ once, untilEmpty, concurrency, retryDelay }: RunFlags): void {
  if (once === true && untilEmpty === true) {
    throw new UsageError("--once and --until-empty: use one of them");
  }
  if (concurrency < 1 || concurrency > MAX_CONCURRENCY) {
    throw new UsageError(`--concurrency must be from 1 to ${MAX_CONCURRENCY}`);
  }
  if (retryDelay !== undefined && retryDelay > MAX_DELAY_SECONDS)
    throw new UsageError("--retry-delay must be at most 30d");
}

function runnerOptions(
  command: [string, ...string[]],
  flags: RunFlags,
  { env, notices, interrupts }: Pick<RunnerOptions, "env" | "notices" | "interrupts">,
): RunnerOptions {
  const { jsonl = false, tag = [], capability = [], prefix = "" } = flags;
  // A command of `run` has the session of its `run` in the environment. Another `run` needs another one.
  const ofEnvironment = env.TASK_FENCING_TOKEN === undefined ? sessionFromEnvironment() : undefined;
  return {
    command,
    env,
    session: flags.session ?? ofEnvironment ?? defaultSession(clientSettings(flags).credsFile),
    wanted: { prefix, tags: tag, capabilities: capability },
    ttlSeconds: flags.ttl,
    concurrency: flags.concurrency,
    once: flags.once === true,
    untilEmpty: flags.untilEmpty === true,
    waitMs: flags.wait ?? Infinity,
    graceMs: flags.grace ?? DEFAULT_GRACE_MS,
    retryDelaySeconds: flags.retryDelay ?? DEFAULT_RETRY_DELAY_SECONDS,
    // With --jsonl, standard output is for the reports.
    stdout: jsonl ? process.stderr : process.stdout,
    stderr: process.stderr,
    passed: notices.passed,
    interrupts,
    notices,
    report: (report) => {
      if (jsonl) process.stdout.write(`${jsonText(report)}\n`);
    },
  };
}

/** @throws ExitError */
function end(summary: RunSummary, flags: RunFlags, interrupts: Interrupts): void {
  const code = exitCodeOf(summary, { ...flags, interrupt: interrupts.received });
  if (code === EXIT.nothingToDo) throw new ExitError(code, "no task came in time");
  process.exitCode = code;
}

/** An error of the program or the file system is for the user, and no defect. */
function explained(error: unknown): unknown {
  if (error instanceof CommandStartError) {
    return error.isUsage
      ? new UsageError(error.message)
      : new ExitError(EXIT.failed, error.message);
  }
  const isOfSystem = error instanceof Error && "syscall" in error;
  return isOfSystem ? new ExitError(EXIT.failed, error.message) : error;
}
