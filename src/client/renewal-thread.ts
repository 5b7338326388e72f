/**
 * Renews leases from a thread, so that work that blocks the event loop does not lose its task. The thread
 * runs `renewal-thread-main.ts`. If it dies, the main thread renews the leases itself.
 */
import { Worker } from "node:worker_threads";
import type { ConnectOptions } from "../nats/connection.ts";
import { describeError, type Logger } from "./logger.ts";
import type { KeptClaim, LeaseListener, LeaseRenewal, SessionSettings } from "./lease-renewal.ts";
import { TaskError } from "./task-error.ts";

/** What the thread is started with. */
export interface ThreadData {
  readonly connect: ConnectOptions;
  readonly session: SessionSettings;
}

export type ToThread =
  | { readonly kind: "keep"; readonly claim: KeptClaim }
  | { readonly kind: "drop" | "abandon"; readonly taskId: string; readonly attempt: number }
  | { readonly kind: "drain" | "stop" };

export type FromThread =
  | { readonly kind: "ready" }
  | { readonly kind: "replaced"; readonly message: string }
  | { readonly kind: "lost" | "cancelled"; readonly taskId: string; readonly attempt: number }
  | { readonly kind: "log"; readonly level: keyof Logger; readonly message: string };

export class RenewalThread implements LeaseRenewal {
  readonly #data: ThreadData;
  readonly #listener: LeaseListener;
  readonly #logger: Logger;
  readonly #here: LeaseRenewal;
  readonly #kept = new Map<string, KeptClaim>();
  #worker: Worker | null = null;
  #isStopped = false;
  /** Called when the thread can renew leases, or has ended. */
  #readyOrEnded: () => void = () => undefined;

  /** @param here renews the leases if the thread dies */
  constructor(data: ThreadData, here: LeaseRenewal, listener: LeaseListener, logger: Logger) {
    this.#data = data;
    this.#here = here;
    this.#listener = listener;
    this.#logger = logger;
  }

  /**
   * The main thread registers the session, so that a refusal is known at once, and keeps it registered.
   * Resolves when the thread can renew leases: from then on, work may block the event loop.
   */
  async start(signal: AbortSignal): Promise<void> {
    await this.#here.start(signal);
    signal.throwIfAborted();
    const readyOrEnded = new Promise<void>((resolve) => {
      this.#readyOrEnded = resolve;
      signal.addEventListener("abort", () => {
        resolve();
      });
    });
    // Options of the process, such as --input-type, are not meant for the thread.
    const worker = new Worker(new URL("./renewal-thread-main.js", import.meta.url), {
      workerData: this.#data,
      execArgv: [],
    });
    this.#worker = worker;
    worker.on("message", (message: FromThread) => {
      this.#received(message);
    });
    worker.on("error", (error) => {
      this.#logger.error(`the thread that renews leases failed: ${describeError(error)}`);
    });
    worker.on("exit", () => {
      this.#ended();
    });
    await readyOrEnded;
  }

  keep(claim: KeptClaim): void {
    this.#kept.set(claim.taskId, claim);
    if (this.#worker === null) this.#here.keep(claim);
    else {
      // The claim has named the connection of this thread. A heartbeat soon names that of the other one.
      const isOld = claim.isOld || this.#data.session.releaseOnDisconnect === true;
      this.#post({ kind: "keep", claim: { ...claim, isOld } });
    }
  }

  drop(taskId: string, attempt: number): void {
    this.#forget(taskId, attempt);
    this.#here.drop(taskId, attempt);
    this.#post({ kind: "drop", taskId, attempt });
  }

  abandon(taskId: string, attempt: number): void {
    this.#forget(taskId, attempt);
    if (this.#worker === null) this.#here.abandon(taskId, attempt);
    else this.#post({ kind: "abandon", taskId, attempt });
  }

  drain(): void {
    // `here` does not know the claims of the thread, and would give them back.
    if (this.#worker === null) this.#here.drain();
    else this.#here.stop();
    this.#post({ kind: "drain" });
  }

  stop(): void {
    this.#isStopped = true;
    this.#here.stop();
    this.#post({ kind: "stop" });
  }

  #ended(): void {
    this.#worker = null;
    this.#readyOrEnded();
    if (this.#isStopped) return;
    this.#logger.error("the thread that renews leases has ended: renewing them in this one");
    for (const claim of this.#kept.values()) this.#here.keep({ ...claim, isOld: true });
  }

  #forget(taskId: string, attempt: number): void {
    if (this.#kept.get(taskId)?.attempt === attempt) this.#kept.delete(taskId);
  }

  #post(message: ToThread): void {
    this.#worker?.postMessage(message);
  }

  #received(message: FromThread): void {
    if (message.kind === "ready") this.#readyOrEnded();
    else if (message.kind === "replaced") {
      this.#listener.replaced(new TaskError("session_replaced", message.message));
    } else if (message.kind === "log") this.#logger[message.level](message.message);
    else this.#listener[message.kind](message.taskId, message.attempt);
  }
}
