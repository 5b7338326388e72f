import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { ChildOutput } from "./child-output.ts";
import { ROOT } from "./markdown.ts";

export interface ExampleOptions {
  /** Environment variables for this example. */
  readonly env?: NodeJS.ProcessEnv;
  /** The time after which the example is killed. */
  readonly patienceMs?: number;
}

/** A running program of examples/. It is killed at the end of the scope if it has not ended by itself. */
export class Example implements AsyncDisposable {
  readonly output: ChildOutput;
  readonly #child: ChildProcess;

  constructor(name: string, natsUrl: string, { env, patienceMs = 15_000 }: ExampleOptions = {}) {
    this.#child = spawn(process.execPath, [join(ROOT, "dist", "examples", `${name}.js`)], {
      env: { ...process.env, NATS_URL: natsUrl, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: patienceMs,
      killSignal: "SIGKILL",
    });
    this.output = new ChildOutput(this.#child);
  }

  /** The complete lines that the program has written so far. */
  get written(): string[] {
    return this.output.stdout.split("\n").slice(0, -1);
  }

  /** The lines of the program, after it has ended by itself with exit code 0. */
  async lines(): Promise<string[]> {
    const { code, stdout, stderr } = await this.output.exited;
    assert.deepEqual([code, stderr], [0, ""], stdout);
    return stdout.trimEnd().split("\n");
  }

  /** Resolves when the program has written the line. @throws AssertionError if it ends before */
  async wrote(line: string): Promise<void> {
    await this.wroteOneThat((one) => one === line, line);
  }

  /** Resolves when the program has written a line that matches. @throws AssertionError if it ends before */
  async wroteOneThat(fits: (line: string) => boolean, what: string): Promise<void> {
    while (!this.written.some(fits)) {
      const ended = await Promise.race([this.output.more(), this.output.exited]);
      if (ended !== undefined) assert.fail(`${ended.stdout}${ended.stderr} lacks ${what}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.output.exited;
  }
}
