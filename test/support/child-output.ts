import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** The output of a child process so far, and how the process ended. */
export class ChildOutput {
  stdout = "";
  stderr = "";
  readonly exited: Promise<{
    readonly code: number | null;
    readonly signal: NodeJS.Signals | null;
    readonly stdout: string;
    readonly stderr: string;
  }>;
  #wrote: () => void = () => undefined;

  constructor(child: ChildProcess) {
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
      this.#wrote();
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
      this.#wrote();
    });
    this.exited = once(child, "close").then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout: this.stdout,
      stderr: this.stderr,
    }));
  }

  /** Resolves when the process writes more. Only one caller can wait at a time. */
  more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wrote = resolve;
    });
  }
}
