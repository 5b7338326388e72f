/**
 * One process of a run, such as a NATS node or a worker. It can be killed, paused and started again.
 *
 * A process that ends by itself is started again, as by a supervisor: a worker that is started while it is
 * cut off gives up after a minute.
 */
import { type ChildProcess, spawn, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { readProcess } from "./process-figures.ts";

/** As a supervisor waits: otherwise a process that ends at once would keep the machine busy. */
const RESTART_MS = 1_000;

/** The end of a log that is shown. */
const SHOWN_LINES = 3;
const SHOWN_CHARACTERS = 300;

export interface MemberOptions {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** For the output of all its lives. */
  readonly logFile: string;
  /** Whether the process has an IPC channel: it says something when it serves, and receives messages. */
  readonly hasChannel?: boolean;
}

/** An end that the run has not caused. */
export interface Ending {
  /** By `performance.now()`. */
  readonly at: number;
  readonly how: string;
  /** Whether it had served before. Assumed for a process without a channel. */
  readonly hasServed: boolean;
  /** Whether a fault was under way that may end the process. */
  readonly isExcused: boolean;
}

export class Member {
  readonly name: string;
  readonly #options: MemberOptions;
  #child: ChildProcess | null = null;
  #isPaused = false;
  #isWanted = false;
  #isRetired = false;
  #said: string | null = null;
  #excuses = 0;
  #message: object | null = null;
  readonly #endings: Ending[] = [];

  constructor(options: MemberOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** What the process said when it began to serve: of a worker, its id. `null`: nothing yet. */
  get said(): string | null {
    return this.#said;
  }

  get endings(): readonly Ending[] {
    return this.#endings;
  }

  start(): void {
    if (this.#isRetired) return;
    this.#isWanted = true;
    if (this.#child !== null) return;
    const [program, ...args] = this.#options.command;
    const { hasChannel = false, logFile } = this.#options;
    const log = openSync(logFile, "a");
    const env = { ...process.env, ...this.#options.env };
    const stdio: StdioOptions = ["ignore", log, log, ...(hasChannel ? ["ipc" as const] : [])];
    const child = spawn(program, args, { stdio, env });
    closeSync(log);
    this.#said = null;
    child.once("message", (words) => {
      this.#said = words as string;
    });
    // A message to a process that has just died.
    child.on("error", () => undefined);
    child.once("exit", (code, signal) => {
      this.#child = null;
      if (this.#isWanted) this.#restartSoon(String(code ?? signal));
    });
    this.#child = child;
    if (this.#message !== null) this.#send(this.#message);
  }

  /** Sends the message to the process, and to each that takes its place, until the next message. */
  tell(message: object): void {
    this.#message = message;
    this.#send(message);
  }

  /** Like a crash. Resolves when the process has ended. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Lets the process shut down. Resolves when it has ended. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  /** Kills it for good: nothing starts it again. */
  async retire(): Promise<void> {
    this.#isRetired = true;
    await this.kill();
  }

  pause(): void {
    this.#isPaused = this.#child?.kill("SIGSTOP") === true;
  }

  resume(): void {
    if (this.#isPaused) this.#child?.kill("SIGCONT");
    this.#isPaused = false;
  }

  /** Excuses any end of the process until the returned function is called. */
  excuse(): () => void {
    this.#excuses++;
    return () => {
      this.#excuses--;
    };
  }

  /** The state of the process and the end of its log, for somebody who looks for a defect. */
  describe(): string {
    const { pid } = this;
    const state = pid === undefined ? null : readProcess(pid)?.state;
    const process = pid === undefined ? "has no process" : `is process ${pid} (${state ?? "?"})`;
    const { logFile } = this.#options;
    const lines = readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-SHOWN_LINES);
    const shown = lines.map((line) => `\n  ${line.slice(0, SHOWN_CHARACTERS)}`);
    return `${process}, and ${logFile} ends with${shown.join("")}`;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#isWanted = false;
    const child = this.#child;
    if (child === null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
    this.#isPaused = false;
  }

  #send(message: object): void {
    if (this.#child?.connected === true) this.#child.send(message, () => undefined);
  }

  #restartSoon(how: string): void {
    const isExcused = this.#excuses > 0;
    const hasServed = this.#options.hasChannel !== true || this.#said !== null;
    this.#endings.push({ at: performance.now(), how, hasServed, isExcused });
    setTimeout(() => {
      if (this.#isWanted) this.start();
    }, RESTART_MS);
  }
}
