/**
 * One process of a run, a NATS node or a worker, that can be killed, stopped for a while, and started again.
 *
 * One that ends without being told to is started again, as whatever supervises it elsewhere would do:
 * a worker that is started while it is cut off gives up.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";

/** A supervisor waits as well, so that what ends at once does not take the machine. */
const RESTART_MS = 1_000;

export interface MemberOptions {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** What it writes, over all of its lives. */
  readonly logFile: string;
}

export class Member {
  readonly name: string;
  readonly #options: MemberOptions;
  #child: ChildProcess | null = null;
  #isPaused = false;
  #isWanted = false;
  #endings = 0;

  constructor(options: MemberOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** How often it has ended without being told to. */
  get endings(): number {
    return this.#endings;
  }

  start(): void {
    this.#isWanted = true;
    if (this.#child !== null) return;
    const [program, ...args] = this.#options.command;
    const log = openSync(this.#options.logFile, "a");
    const env = { ...process.env, ...this.#options.env };
    const child = spawn(program, args, { stdio: ["ignore", log, log], env });
    closeSync(log);
    child.once("exit", () => {
      this.#child = null;
      if (this.#isWanted) this.#restartSoon();
    });
    this.#child = child;
  }

  /** As a crash would; resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async stop(): Promise<void> {
    this.resume();
    await this.#end("SIGTERM");
  }

  pause(): void {
    this.#isPaused = this.#child?.kill("SIGSTOP") === true;
  }

  resume(): void {
    if (this.#isPaused) this.#child?.kill("SIGCONT");
    this.#isPaused = false;
  }

  #restartSoon(): void {
    this.#endings++;
    setTimeout(() => {
      if (this.#isWanted) this.start();
    }, RESTART_MS);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#isWanted = false;
    const child = this.#child;
    if (child === null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    // A process that is stopped gets no other signal.
    child.kill("SIGCONT");
    await gone;
    this.#isPaused = false;
  }
}
