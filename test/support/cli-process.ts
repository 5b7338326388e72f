/** The command line as a process of its own: what it writes, and how it ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

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
  readonly exited: Promise<CliExit>;
  readonly #child: ChildProcess;
  #stdout = "";
  #stderr = "";
  #wrote: () => void = () => undefined;

  /** Has a process group of its own, so that `interrupt` reaches nobody else. */
  constructor(args: readonly string[], options: CliOptions = {}) {
    const [command, ...first] = options.program ?? [process.execPath, MAIN];
    this.#child = spawn(command, [...first, ...args], {
      cwd: options.cwd,
      env: { ...process.env, NO_COLOR: "1", ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
      this.#wrote();
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
      this.#wrote();
    });
    this.exited = once(this.#child, "close").then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves when either output has what is looked for; rejects if the process ends without it. */
  async waitFor(pattern: RegExp): Promise<RegExpExecArray> {
    const ended = this.exited.then(({ code, signal }) => {
      throw new Error(
        `ended (${code ?? signal ?? ""}) without writing ${String(pattern)}:\n` +
          this.#stdout +
          this.#stderr,
      );
    });
    // Once the pattern was found, the end is no failure.
    ended.catch(() => undefined);
    for (;;) {
      const match = pattern.exec(this.#stdout) ?? pattern.exec(this.#stderr);
      if (match !== null) return match;
      const written = new Promise<void>((resolve) => {
        this.#wrote = resolve;
      });
      await Promise.race([written, ended]);
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
    await this.exited;
  }
}

/** Runs a command to its end. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliExit> {
  await using cli = new CliProcess(args, options);
  return await cli.exited;
}
