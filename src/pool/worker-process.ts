/** One worker in a process of its own, as the command sees it. What runs there is `worker-main.ts`. */
import { type ChildProcess, fork } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { StartupError } from "../app.ts";
import type { Config } from "../config.ts";
import type { FromWorker, ToWorker, UrgentFact, WorkerReport } from "./messages.ts";

const PROGRAM = new URL("./worker-main.js", import.meta.url);
const REPORT_TIMEOUT_MS = 1_000;
/** Most of what a request allocates is garbage soon after: with more room, less of it is copied before. */
const MORE_ROOM = "--max-semi-space-size=32";

export class WorkerProcess {
  /**
   * Resolves when the worker answers requests; rejects, when its process is gone, with the worker's own
   * words.
   * @throws StartupError
   */
  readonly started: Promise<void>;
  /** Resolves, with what happened in words, when the process is gone. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  readonly #reports = new EventEmitter<{ report: [WorkerReport] }>().setMaxListeners(0);
  #id: string | null = null;
  /** Why it cannot go on, in its own words. */
  #failure: string | null = null;

  /** @param observe takes what the worker tells at once */
  constructor(config: Config, observe: (fact: UrgentFact) => void = () => undefined) {
    this.#child = fork(PROGRAM, {
      execArgv: nodeOptions(process.execArgv, config.nodeOptions),
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      // JSON has no NaN, which a gauge can be.
      serialization: "advanced",
    });
    // `ended` tells of it; without a listener it would end this process.
    this.#child.on("error", () => undefined);
    this.ended = this.#end();
    this.started = new Promise((resolve, reject) => {
      this.#child.on("message", (message: FromWorker) => {
        switch (message.kind) {
          case "started":
            this.#id = message.workerId;
            resolve();
            break;
          case "failed":
            this.#failure = message.message;
            this.#disconnect();
            break;
          case "report":
            this.#reports.emit("report", message.report);
            break;
          case "fact":
            observe(message.fact);
        }
      });
      void this.ended.then((problem) => {
        reject(new StartupError(this.#failure ?? problem));
      });
    });
    // Over the channel, where nobody else can read it: it may contain passwords.
    this.#send({ kind: "start", config });
  }

  /** `null` until it has started. */
  get id(): string | null {
    return this.#id;
  }

  /** How the worker is and what it has counted; `null` if it cannot say that at once. */
  async report(): Promise<WorkerReport | null> {
    if (this.#id === null) return null;
    const signal = AbortSignal.timeout(REPORT_TIMEOUT_MS);
    const answer = once(this.#reports, "report", { signal }) as Promise<[WorkerReport]>;
    this.#send({ kind: "ask" });
    return answer.then(
      ([report]) => report,
      () => null,
    );
  }

  /**
   * Lets the worker answer what is under way and end; resolves when its process is gone.
   *
   * @throws Error if it did not end in good order
   */
  async stop(): Promise<void> {
    this.#disconnect();
    const problem = await this.ended;
    if (this.#child.exitCode !== 0) throw new Error(problem);
  }

  /** Ends it at once. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async #end(): Promise<string> {
    let how: string;
    try {
      const [code, signal] = (await once(this.#child, "exit")) as [number | null, string | null];
      how = signal === null ? `ended with code ${code ?? 0}` : `was ended by ${signal}`;
    } catch (error) {
      how = `could not be run (${error instanceof Error ? error.message : String(error)})`;
    }
    if (this.#failure !== null) how = `ended: ${this.#failure}`;
    return `${this.#id ?? "a worker"} (process ${this.#child.pid ?? "none"}) ${how}`;
  }

  #disconnect(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  #send(message: ToWorker): void {
    // What cannot be sent is not answered: that is noticed.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }
}

/** Those of this process, and more memory for what is short-lived, unless somebody has chosen that. */
export function nodeOptions(own: readonly string[], environment: string): string[] {
  const isChosen = /--max[-_]semi[-_]space[-_]size/.test(`${own.join(" ")} ${environment}`);
  return isChosen ? [...own] : [...own, MORE_ROOM];
}
