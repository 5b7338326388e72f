/** The requests of a session for its next tasks. One at a time waits for a task. */
import { MAX_CLAIMS } from "../protocol/fields.ts";
import { type ClaimOptions, wantedTasks } from "./claim-options.ts";
import type { Claimed, NextWanted } from "./claim-requests.ts";
import type { TaskClient } from "./task-client.ts";

/** The reason to end a request that waits. */
const STOPPED = new Error("the session no longer asks for a task");

export class NextRequests {
  readonly #session: { readonly session_id: string; readonly instance: string };
  readonly #options: ClaimOptions;
  readonly #tasks: TaskClient;
  #asking: AbortController | null = null;

  constructor(
    session: { readonly session_id: string; readonly instance: string },
    options: ClaimOptions,
    tasks: TaskClient,
  ) {
    this.#session = session;
    this.#options = options;
    this.#tasks = tasks;
  }

  get isAsking(): boolean {
    return this.#asking !== null;
  }

  /** Which tasks the session wants, as every request says it. */
  wanted(): NextWanted {
    const { capabilities, ttlSeconds, releaseOnDisconnect = false } = this.#options;
    return {
      release_on_disconnect: releaseOnDisconnect,
      ...wantedTasks(this.#options),
      ...(capabilities === undefined ? {} : { capabilities: [...capabilities] }),
      ...(ttlSeconds === undefined ? {} : { ttl_seconds: ttlSeconds }),
    };
  }

  /**
   * Asks until it is answered: for at most `max` tasks, for so long. None also if it is stopped.
   *
   * @throws TaskError for a refusal; the signal's reason
   */
  async ask(max: number, waitMs: number, signal: AbortSignal): Promise<readonly Claimed[]> {
    const asking = new AbortController();
    const abort = (): void => {
      asking.abort(signal.reason);
    };
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
    this.#asking = asking;
    const input = {
      ...this.#session,
      wait_seconds: waitMs / 1000,
      max: Math.min(max, MAX_CLAIMS),
      ...this.wanted(),
    };
    try {
      const options = { deadlineMs: Infinity, signal: asking.signal };
      return (await this.#tasks.next(input, options)).claims;
    } catch (error) {
      if (error !== STOPPED) throw error;
      return [];
    } finally {
      this.#asking = null;
      signal.removeEventListener("abort", abort);
    }
  }

  /** Ends the request that waits. A task that was claimed for it goes back to the pool. */
  stop(): void {
    this.#asking?.abort(STOPPED);
  }
}
