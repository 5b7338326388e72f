/**
 * Restarts the NATS server of `dev` when a bucket keeps refusing writes. The reason can be a defect of the
 * server that only a restart ends (decision 25). A restart that did not help is not repeated at once,
 * because there may be another reason, such as a full disk.
 */
import type { AppOptions } from "../../app.ts";

export interface RefusalRestartsOptions {
  readonly restart: () => Promise<void>;
  /** Receives a line for each restart. */
  readonly notify: (line: string) => void;
}

/** How long a bucket must keep refusing after the worker has reported it, in milliseconds. */
export const RESTART_AFTER_MS = 5_000;
/** The shortest time between two restarts, in milliseconds. */
export const RESTART_PAUSE_MS = 60_000;

export class RefusalRestarts {
  readonly #options: RefusalRestartsOptions;
  /** The buckets that refuse writes now, with the reason of each. */
  readonly #refusing = new Map<string, string>();
  #due: NodeJS.Timeout | undefined;
  #lastRestart = -Infinity;

  constructor(options: RefusalRestartsOptions) {
    this.#options = options;
  }

  /** Receives the facts of all workers. */
  readonly observe: NonNullable<AppOptions["observe"]> = (fact) => {
    if (fact.kind !== "writes_refused") return;
    if (fact.reason === null) this.#refusing.delete(fact.bucket);
    else this.#refusing.set(fact.bucket, fact.reason);
    if (this.#refusing.size === 0) this.stop();
    else this.#due ??= this.#schedule();
  };

  stop(): void {
    clearTimeout(this.#due);
    this.#due = undefined;
  }

  #schedule(): NodeJS.Timeout {
    const pause = this.#lastRestart + RESTART_PAUSE_MS - performance.now();
    const timer = setTimeout(
      () => {
        this.#restart();
      },
      Math.max(RESTART_AFTER_MS, pause),
    );
    return timer.unref();
  }

  #restart(): void {
    const { restart, notify } = this.#options;
    const [[bucket, reason] = ["", ""]] = this.#refusing;
    notify(`the bucket "${bucket}" refuses every write (${reason}): restarting the NATS server`);
    this.#lastRestart = performance.now();
    // The workers reported the server that ends now.
    this.#refusing.clear();
    this.stop();
    restart().catch((error: unknown) => {
      notify(error instanceof Error ? error.message : String(error));
    });
  }
}
