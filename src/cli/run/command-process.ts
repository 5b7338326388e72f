/**
 * The command of one task as a process that leads a process group. It has three states:
 *
 * - _running_, until the process ends;
 * - _ending_: the process has ended, and what it has left behind in its group is stopped;
 * - _ended_: nothing of its group runs, and its outputs are read to their end.
 *
 * A process that has left the group, as a daemon does, is not stopped and not waited for.
 */
import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import type { Writable } from "node:stream";
import { within } from "../../client/waiting.ts";
import { startTimer, type StopTimer } from "../../timers.ts";
import { type OnPassed, PassedOutput } from "./passed-output.ts";
import { ProcessGroup } from "./process-group.ts";
import { Watchdog } from "./watchdog.ts";

export interface CommandOptions {
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Written to its standard input. */
  readonly input: string;
  /** Receive what it writes. */
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly passed: OnPassed;
  /** From the request to stop until the process group is killed. */
  readonly graceMs: number;
  /** Removed if this process is killed meanwhile. */
  readonly folder: string;
}

export interface CommandExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The command could not be started at all. */
export class CommandStartError extends Error {
  override readonly name = "CommandStartError";
  /** Whether the command line is wrong. Otherwise the machine lacks something, such as memory. */
  readonly isUsage: boolean;

  constructor(message: string, isUsage: boolean, cause: unknown) {
    super(message, { cause });
    this.isUsage = isUsage;
  }
}

/** How much of the end of each output is remembered. */
const STDOUT_TAIL_BYTES = 32_768;
const STDERR_TAIL_BYTES = 8_192;
/** How long a process that the command has left behind may take to stop. */
const LEFT_BEHIND_MS = 1_000;
/** How long to wait for the end of an output that a process outside the group still has open. */
const OUTPUT_MS = 1_000;

export class CommandProcess {
  /** Resolves when the command has ended, and its group with it. */
  readonly ended: Promise<CommandExit>;
  readonly stdout: PassedOutput;
  readonly stderr: PassedOutput;
  readonly #graceMs: number;
  readonly #group: ProcessGroup;
  readonly #watchdog: Watchdog;
  /** When the group is killed, because it was asked to stop. */
  #killAt: number | null = null;
  #wasTerminated = false;
  #stopTimer: StopTimer = () => undefined;
  /** From then on, another process can have the same process id. */
  #hasEnded = false;

  private constructor(child: ChildProcessWithoutNullStreams, pid: number, options: CommandOptions) {
    const { input, stdout, stderr, passed, graceMs, folder } = options;
    this.#graceMs = graceMs;
    this.#group = new ProcessGroup(pid);
    this.#watchdog = new Watchdog(pid, graceMs, folder);
    this.stdout = new PassedOutput(child.stdout, stdout, STDOUT_TAIL_BYTES, passed);
    this.stderr = new PassedOutput(child.stderr, stderr, STDERR_TAIL_BYTES, passed);
    // A command need not read its input.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    this.ended = this.#end(child);
  }

  /** @throws CommandStartError */
  static async start(options: CommandOptions): Promise<CommandProcess> {
    const [program, ...args] = options.command;
    try {
      const child = spawn(program, args, { env: options.env, stdio: "pipe", detached: true });
      return new CommandProcess(child, child.pid ?? (await whyNotStarted(child)), options);
    } catch (error) {
      throw startError(program, error);
    }
  }

  /** Asks the whole group to stop, and kills it when the grace is over. */
  stop(signal: NodeJS.Signals = "SIGTERM"): void {
    if (this.#hasEnded) return;
    this.#group.signal(signal);
    this.#wasTerminated ||= signal === "SIGTERM";
    if (this.#killAt !== null) return;
    this.#killAt = performance.now() + this.#graceMs;
    this.#stopTimer = startTimer(this.#graceMs, () => {
      this.kill();
    });
  }

  kill(): void {
    if (this.#hasEnded) return;
    this.#killAt = performance.now();
    this.#group.signal("SIGKILL");
  }

  async #end(child: ChildProcessWithoutNullStreams): Promise<CommandExit> {
    const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    child.stdin.destroy();
    const outputs = [this.stdout, this.stderr];
    for (const output of outputs) output.hurry();
    await this.#endGroup();
    this.#hasEnded = true;
    this.#stopTimer();
    await within(OUTPUT_MS, Promise.all(outputs.map(({ closed }) => closed)));
    for (const output of outputs) output.abandon();
    this.#watchdog.dismiss();
    return { code, signal };
  }

  async #endGroup(): Promise<void> {
    // A shell starts its background processes so that they ignore SIGINT.
    if (!this.#wasTerminated) this.#group.signal("SIGTERM");
    const killIn = this.#killAt === null ? LEFT_BEHIND_MS : this.#killAt - performance.now();
    await this.#group.ended(killIn);
    if (this.#group.isRunning) this.#group.signal("SIGKILL");
  }
}

/** @throws why the process could not be started */
async function whyNotStarted(child: ChildProcess): Promise<never> {
  const [error] = (await once(child, "error")) as [Error];
  throw error;
}

function startError(program: string, error: unknown): CommandStartError {
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  const cure = START_CURES[code];
  const message = `cannot start ${program} (${code})${cure === undefined ? "" : `: ${cure}`}`;
  return new CommandStartError(message, cure !== undefined, error);
}

const START_CURES: Readonly<Record<string, string>> = {
  ENOENT: "there is no such program, or the interpreter that its first line names is missing",
  ENOTDIR: "a part of its path is no folder",
  EACCES: "it is not a program that this user may run: try chmod +x",
  ENOEXEC: "it is not a program for this machine",
  E2BIG: "its arguments and the environment are too large",
};
