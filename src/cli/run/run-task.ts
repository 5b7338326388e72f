/** One task of `run`: starts the command, watches over it, and ends the claim by what it did. */
import type { Writable } from "node:stream";
import type { Claim } from "../../client/claim.ts";
import { hasCode, TaskError } from "../../client/task-error.ts";
import { CommandProcess, type CommandExit } from "./command-process.ts";
import { type Ended, endClaim } from "./end-claim.ts";
import type { Interrupts } from "./interrupts.ts";
import { endingOf } from "./outcome.ts";
import { lastLines } from "./output-text.ts";
import type { OnPassed } from "./passed-output.ts";
import type { TaskReport } from "./run-report.ts";
import { taskVariables } from "./task-environment.ts";
import { TaskFiles } from "./task-files.ts";
import { type CommandResult, readResult } from "./task-result.ts";

export interface RunTaskOptions {
  readonly command: readonly [string, ...string[]];
  /** For the command, without the variables of the task. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly session: string;
  readonly graceMs: number;
  readonly retryDelaySeconds: number;
  /** One task is enough: the session does not take another. */
  readonly once: boolean;
  /** Receive the output of the command. */
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly passed: OnPassed;
  readonly interrupts: Interrupts;
  /** How the claim of a lost task has ended, if its own command did that; otherwise `null`. */
  readonly endedByCommand: (claim: Claim) => Promise<Ended | null>;
}

/** @throws CommandStartError or an error of the file system, after the task was given back */
export async function runTask(claim: Claim, options: RunTaskOptions): Promise<TaskReport> {
  return new TaskRun(claim, options).run();
}

class TaskRun {
  readonly #claim: Claim;
  readonly #options: RunTaskOptions;
  readonly #startedAt = performance.now();
  /** Why the command was asked to stop. */
  #stoppedBecause: string | null = null;
  #isCancelled = false;
  #exit: CommandExit = { code: null, signal: null };

  constructor(claim: Claim, options: RunTaskOptions) {
    this.#claim = claim;
    this.#options = options;
  }

  async run(): Promise<TaskReport> {
    const { result, stderr } = await this.#runCommand();
    return this.#end(result, stderr);
  }

  /** @returns the result, if the command was successful, and the end of its standard error */
  async #runCommand(): Promise<{ result: CommandResult | null; stderr: string }> {
    try {
      const text = `${JSON.stringify(this.#claim.task)}\n`;
      await using files = await TaskFiles.create(text);
      const command = await this.#start(files, text);
      const stopWatching = this.#watch(command);
      this.#exit = await command.ended;
      stopWatching();
      const stderr = lastLines(command.stderr.end);
      if (this.#exit.code !== 0) return { result: null, stderr };
      return { result: await readResult(files.result, command.stdout.end), stderr };
    } catch (error) {
      // The command could not be started. This says nothing about the task.
      const cause = error instanceof Error ? error.message : String(error);
      await this.#claim.release({ cause: cause.slice(0, MAX_CAUSE_LENGTH) }).catch(() => undefined);
      throw error;
    }
  }

  async #start(files: TaskFiles, input: string): Promise<CommandProcess> {
    const { command, env, session, graceMs, stdout, stderr, passed, interrupts } = this.#options;
    const { task, attempt, fencingToken } = this.#claim;
    const variables = taskVariables({
      taskId: task.task_id,
      title: task.title,
      attempt,
      fencingToken,
      session,
      taskFile: files.task,
      resultFile: files.result,
    });
    const started = await CommandProcess.start({
      ...{ command, graceMs, input, stdout, stderr, passed },
      env: { ...env, ...variables },
      folder: files.folder,
    });
    interrupts.follow(started);
    return started;
  }

  /** Stops the command when the task is lost or cancelled, until the returned function is called. */
  #watch(command: CommandProcess): () => void {
    const { signal } = this.#claim;
    const listener = (): void => {
      void this.#mustStop(command);
    };
    signal.addEventListener("abort", listener);
    if (signal.aborted) listener();
    return () => {
      signal.removeEventListener("abort", listener);
    };
  }

  /** Never rejects. */
  async #mustStop(command: CommandProcess): Promise<void> {
    const { signal, isOver } = this.#claim;
    const { interrupts, endedByCommand } = this.#options;
    if (isOver) {
      // A command that has ended its task itself may clean up in peace.
      if ((await endedByCommand(this.#claim)) === null) command.stop();
    } else if (interrupts.received === null) {
      this.#isCancelled = hasCode(signal.reason, "not_available");
      this.#stoppedBecause = "the task was cancelled";
      command.stop();
    } else {
      // The time to stop is over.
      command.kill();
    }
  }

  async #end(result: CommandResult | null, stderr: string): Promise<TaskReport> {
    const { interrupts, retryDelaySeconds, once } = this.#options;
    if (interrupts.received !== null) {
      this.#stoppedBecause ??= `the worker was stopped by ${interrupts.received}`;
    }
    const ending = endingOf({
      exit: this.#exit,
      result,
      stderr,
      stoppedBecause: this.#stoppedBecause,
      retryDelaySeconds,
    });
    const isResultOptional = result?.kind === "value" && result.from === "output";
    const how = { isResultOptional, isCancelled: this.#isCancelled, next: !once };
    try {
      const ended = await endClaim(this.#claim, ending, how);
      const isCut = result?.kind === "value" && result.isCut;
      return this.#report(isCut && ended.reason === null ? { ...ended, reason: CUT } : ended);
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
      return this.#lost(error);
    }
  }

  async #lost(error: TaskError): Promise<TaskReport> {
    const ended = await this.#options.endedByCommand(this.#claim);
    if (ended !== null) return this.#report(ended);
    const reason: unknown = this.#claim.signal.reason;
    const why = reason instanceof TaskError ? reason.message : error.message;
    return this.#report({ outcome: "lost", reason: why, result: null, isFinal: false });
  }

  #report({
    outcome,
    reason,
    result,
    isFinal,
  }: Omit<Ended, "outcome"> & Pick<TaskReport, "outcome">): TaskReport {
    return {
      task_id: this.#claim.task.task_id,
      attempt: this.#claim.attempt,
      outcome,
      final: isFinal,
      reason,
      result,
      exit_code: this.#exit.code,
      signal: this.#exit.signal,
      duration_ms: Math.round(performance.now() - this.#startedAt),
    };
  }
}

/** The reason of an event. */
const MAX_CAUSE_LENGTH = 1_024;
const CUT =
  "only the end of its last line of output is stored, because the line is too long: " +
  "write long results to $TASK_RESULT_FILE";
