/** One worker in a process of its own, as the command sees it. The process runs `worker-main.ts`. */
import { type ChildProcess, fork } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { StartupError } from "../app.ts";
import type { Config } from "../config.ts";
import { workerEnvironment } from "../config/child-environment.ts";
import type { FromWorker, ToWorker, UrgentFact, WorkerReport } from "./messages.ts";

const PROGRAM = new URL("./worker-main.js", import.meta.url);
const REPORT_TIMEOUT_MS = 1_000;
/** Most objects of a request are garbage soon. With a larger young generation, fewer of them are copied. */
const MORE_ROOM = "--max-semi-space-size=32";

export class WorkerProcess {
  /**
   * Resolves when the worker answers requests. Rejects if its process ends before, with the message of the
   * worker.
   * @throws StartupError
   */
  readonly started: Promise<void>;
  /** Resolves when the process has ended, with a text that says how. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  readonly #reports = new EventEmitter<{ report: [WorkerReport] }>().setMaxListeners(0);
  #id: string | null = null;
  /** Why the worker cannot continue, as the worker has reported it. */
  #failure: string | null = null;

  /** @param observe receives the urgent facts of the worker */
  constructor(config: Config, observe: (fact: UrgentFact) => void = () => undefined) {
    this.#child = fork(PROGRAM, {
      env: workerEnvironment(),
      execArgv: nodeOptions(process.execArgv, config.nodeOptions),
      stdio: ["ignore", "inherit", "inherit", "ipc"],
      // JSON has no NaN, which a gauge can be.
      serialization: "advanced",
    });
    // `ended` reports it. Without a listener, the error would end this process.
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
    // The configuration may contain passwords. Nobody else can read the channel.
    this.#send({ kind: "start", config });
  }

  /** `null` until the worker has started. */
  get id(): string | null {
    return this.#id;
  }

  /** The health and the metrics of the worker; `null` if it does not answer in time. */
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
   * Lets the worker answer the requests under way, and end. Resolves when its process has ended.
   *
   * @throws Error if the exit code is not 0
   */
  async stop(): Promise<void> {
    this.#disconnect();
    const problem = await this.ended;
    if (this.#child.exitCode !== 0) throw new Error(problem);
  }

  /** Ends the process at once. */
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
    // A message that cannot be sent gets no answer, which the caller notices.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }
}

/** The options of this process, and a larger young generation unless its size is already set. */
export function nodeOptions(own: readonly string[], environment: string): string[] {
  const isChosen = /--max[-_]semi[-_]space[-_]size/.test(`${own.join(" ")} ${environment}`);
  return isChosen ? [...own] : [...own, MORE_ROOM];
}
