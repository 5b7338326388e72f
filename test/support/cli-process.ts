/** The command line as a process: its output, and how it ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { ChildOutput } from "./child-output.ts";

export const MAIN = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

export interface CliExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The program to run in place of `node <main>`, with its first arguments. */
  readonly program?: readonly [string, ...string[]];
}

export class CliProcess implements AsyncDisposable {
  /** Resolves when both outputs are closed: then its workers have ended too. */
  readonly exited: Promise<CliExit>;
  readonly #child: ChildProcess;
  readonly #output: ChildOutput;

  /** It has a process group of its own, so `interrupt` reaches no other process. */
  constructor(args: readonly string[], options: CliOptions = {}) {
    const [command, ...first] = options.program ?? [process.execPath, MAIN];
    this.#child = spawn(command, [...first, ...args], {
      cwd: options.cwd,
      env: { ...process.env, NO_COLOR: "1", ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.#output = new ChildOutput(this.#child);
    this.exited = this.#output.exited;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves when one of the outputs matches. Rejects if the process ends before. */
  async waitFor(pattern: RegExp): Promise<RegExpExecArray> {
    const ended = this.exited.then(({ code, signal }) => {
      throw new Error(
        `ended (${code ?? signal ?? ""}) without writing ${String(pattern)}:\n` +
          this.#output.stdout +
          this.#output.stderr,
      );
    });
    // After a match, the end of the process is not a failure.
    ended.catch(() => undefined);
    for (;;) {
      const match = pattern.exec(this.#output.stdout) ?? pattern.exec(this.#output.stderr);
      if (match !== null) return match;
      await Promise.race([this.#output.more(), ended]);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Signals the whole process group, as Ctrl-C in a terminal does. */
  interrupt(): void {
    process.kill(-this.pid, "SIGINT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    try {
      // Ends anything that the command has left behind.
      if (this.pid !== 0) process.kill(-this.pid, "SIGKILL");
    } catch {
      // It has left nothing behind.
    }
    await this.exited;
  }
}

/** Runs a command to its end. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliExit> {
  await using cli = new CliProcess(args, options);
  return await cli.exited;
}
