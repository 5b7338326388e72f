/** The command line as a process of its own: what it writes, and how it ends. */
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
  /** What to run instead of `node <main>`: a program and its first arguments. */
  readonly program?: readonly [string, ...string[]];
}

export class CliProcess implements AsyncDisposable {
  /** Resolves when nobody can write to its outputs any more: the workers that it has started are gone too. */
  readonly exited: Promise<CliExit>;
  readonly #child: ChildProcess;
  readonly #output: ChildOutput;

  /** Has a process group of its own, so that `interrupt` reaches nobody else. */
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

  /** Resolves when either output has what is looked for; rejects if the process ends without it. */
  async waitFor(pattern: RegExp): Promise<RegExpExecArray> {
    const ended = this.exited.then(({ code, signal }) => {
      throw new Error(
        `ended (${code ?? signal ?? ""}) without writing ${String(pattern)}:\n` +
          this.#output.stdout +
          this.#output.stderr,
      );
    });
    // Once the pattern was found, the end is no failure.
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

  /** What Ctrl-C in a terminal does: the whole process group is told. */
  interrupt(): void {
    process.kill(-this.pid, "SIGINT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    try {
      // Of what it has left behind nobody else would take care.
      if (this.pid !== 0) process.kill(-this.pid, "SIGKILL");
    } catch {
      // Nothing.
    }
    await this.exited;
  }
}

/** Runs a command to its end. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliExit> {
  await using cli = new CliProcess(args, options);
  return await cli.exited;
}
