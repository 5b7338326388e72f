/**
 * Whether the bucket `tasks` is nearly full. At its limit it would refuse every write, claims and releases
 * included. So what only adds to it is refused before.
 */
import { CoordinatorError } from "../protocol/errors.ts";
import type { Clock, TaskStore } from "./ports.ts";
import { limitReached } from "./refusals.ts";

/** The rest is for claims, releases and what follows from them. */
const FILLED = 0.9;
/** The server is asked at most so often, and only while there are requests that fill the bucket. */
const ASK_EVERY_MS = 1_000;

interface Fill {
  readonly askedAt: number;
  readonly bytes: number;
  readonly maxBytes: number | null;
}

/** If the server has never answered. */
const UNKNOWN: Omit<Fill, "askedAt"> = { bytes: 0, maxBytes: null };

export class BucketRoom {
  readonly #store: Pick<TaskStore, "state">;
  readonly #clock: Pick<Clock, "steady">;
  #fill: Fill | null = null;
  #asking: Promise<Fill | null> | null = null;
  /** What this worker has added since it asked the server. */
  #added = 0;

  constructor(store: Pick<TaskStore, "state">, clock: Pick<Clock, "steady">) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Call this before a write of so many bytes. @throws CoordinatorError `limit_reached` */
  async require(bytes: number): Promise<void> {
    const age = this.#clock.steady() - (this.#fill?.askedAt ?? -Infinity);
    const fill = age < ASK_EVERY_MS ? this.#fill : await (this.#asking ??= this.#ask());
    const { bytes: filled, maxBytes } = fill ?? UNKNOWN;
    if (maxBytes === null) return;
    if (filled + this.#added + bytes <= maxBytes * FILLED) {
      this.#added += bytes;
      return;
    }
    const percent = FILLED * 100;
    throw limitReached(
      "limits.bucket_bytes",
      maxBytes,
      `the bucket tasks is filled to ${percent} %, so nothing is added: an operator can give it more ` +
        'room with "nats stream edit KV_tasks --max-bytes", or have finished tasks removed sooner',
    );
  }

  /** If the server does not answer, the write will not succeed either, and has the better error. */
  async #ask(): Promise<Fill | null> {
    try {
      const { bytes, maxBytes } = await this.#store.state();
      this.#added = 0;
      return (this.#fill = { askedAt: this.#clock.steady(), bytes, maxBytes });
    } catch (error) {
      if (!(error instanceof CoordinatorError)) throw error;
      return this.#fill;
    } finally {
      this.#asking = null;
    }
  }
}
