/**
 * Whether the bucket `tasks` is nearly full, by the setting or by a limit that an operator has given the bucket.
 * At a limit of its own it refuses every write, claims and releases included. So what only adds to it is refused
 * before.
 *
 * Workers give the bucket no limit: NATS reserves the storage for it, and a NATS server before version 2.12 does
 * not load a bucket if the server has less storage at a restart than it has reserved.
 */
import { CoordinatorError } from "../protocol/errors.ts";
import type { ServiceContext, TaskStore } from "./ports.ts";
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
  readonly #clock: ServiceContext["clock"];
  readonly #settings: ServiceContext["settings"];
  #fill: Fill | null = null;
  #asking: Promise<Fill | null> | null = null;
  /** What this worker has added since it asked the server. */
  #added = 0;

  constructor(
    store: Pick<TaskStore, "state">,
    { clock, settings }: Pick<ServiceContext, "clock" | "settings">,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#settings = settings;
  }

  /** Call this before a write of so many bytes. @throws CoordinatorError `limit_reached` */
  async require(bytes: number): Promise<void> {
    const age = this.#clock.steady() - (this.#fill?.askedAt ?? -Infinity);
    const fill = age < ASK_EVERY_MS ? this.#fill : await (this.#asking ??= this.#ask());
    const { bytes: filled, maxBytes } = fill ?? UNKNOWN;
    const most = Math.min(maxBytes ?? Infinity, this.#settings.bucketBytes || Infinity);
    if (filled + this.#added + bytes <= most * FILLED) {
      this.#added += bytes;
      return;
    }
    const percent = FILLED * 100;
    throw limitReached(
      "limits.bucket_bytes",
      most,
      `the bucket tasks is filled to ${percent} % of its limit, so nothing is added: raise the limit, or have finished tasks ` +
        "removed sooner (retention_seconds)",
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
