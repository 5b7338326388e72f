/**
 * Whether the bucket `tasks` is nearly full, by the setting or by a limit that an operator has given the bucket.
 * At a limit of its own it refuses every write, claims and releases included. So earlier records make room before
 * (`earlier-records.ts`), and what only adds to the bucket is refused before.
 *
 * Workers give the bucket no limit: NATS reserves the storage for it, and a NATS server before version 2.12 does
 * not load a bucket if the server has less storage at a restart than it has reserved.
 */
import { CoordinatorError } from "../protocol/errors.ts";
import type { ServiceContext, TaskStore } from "./ports.ts";
import { limitReached } from "./refusals.ts";

/** The rest is for claims, releases and what follows from them. */
const FILLED = 0.9;
/** From here on, earlier records make room. It comes first, so that they are never the reason for a refusal. */
const CROWDED = 0.8;
/** The server is asked at most so often, and only while there are requests that fill the bucket. */
const ASK_EVERY_MS = 1_000;
/** While there is room as far as this worker knows. Others write, too. */
const LOOK_EVERY_MS = 10_000;

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
  #asking: Promise<void> | null = null;
  /** What this worker has added since it asked the server. */
  #added = 0;
  /** The records of its other writes since then. Some have replaced the oldest ones of their tasks. */
  #written = 0;

  constructor(
    store: Pick<TaskStore, "state">,
    { clock, settings }: Pick<ServiceContext, "clock" | "settings">,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#settings = settings;
  }

  /** Whether the bucket is so full, as far as this worker knows, that earlier records have to make room. */
  get isCrowded(): boolean {
    const { bytes } = this.#fill ?? UNKNOWN;
    return bytes + this.#added + this.#written > this.#most * CROWDED;
  }

  /** Notes a write that is never refused. */
  noteWritten(bytes: number): void {
    this.#written += bytes;
    const every = this.isCrowded ? ASK_EVERY_MS : LOOK_EVERY_MS;
    if (this.#age >= every) this.look().catch(() => undefined);
  }

  /** Resolves when the last answer of the server is not old. */
  async look(): Promise<void> {
    if (this.#age >= ASK_EVERY_MS) await (this.#asking ??= this.#ask());
  }

  /** Call this before a write of so many bytes. @throws CoordinatorError `limit_reached` */
  async require(bytes: number): Promise<void> {
    await this.look();
    const { bytes: filled } = this.#fill ?? UNKNOWN;
    const most = this.#most;
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

  get #age(): number {
    return this.#clock.steady() - (this.#fill?.askedAt ?? -Infinity);
  }

  get #most(): number {
    return Math.min(this.#fill?.maxBytes ?? Infinity, this.#settings.bucketBytes || Infinity);
  }

  /** If the server does not answer, the write will not succeed either, and has the better error. */
  async #ask(): Promise<void> {
    try {
      const { bytes, maxBytes } = await this.#store.state();
      this.#added = 0;
      this.#written = 0;
      this.#fill = { askedAt: this.#clock.steady(), bytes, maxBytes };
    } catch (error) {
      if (!(error instanceof CoordinatorError)) throw error;
    } finally {
      this.#asking = null;
    }
  }
}
