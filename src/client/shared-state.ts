/** The keys and values that the sessions of a swarm share, in the bucket `shared`. */
import pRetry from "p-retry";
import { ConnectionError } from "../nats/connection.ts";
import {
  type KvBucket,
  newWriteId,
  openSharedBucket,
  type SharedBucketOptions,
} from "../nats/shared-bucket.ts";
import { canonicalJson } from "../protocol/canonical-json.ts";
import { CoordinatorError } from "../protocol/errors.ts";
import { idRuleFor, isValidId } from "../protocol/subjects.ts";
import type { BusConnection } from "./bus-connection.ts";
import { toJsonText } from "./json-text.ts";
import type { Logger } from "./logger.ts";
import { readShared } from "./shared-value.ts";
import { type SharedChange, watchShared } from "./shared-watch.ts";
import { fromLocalRefusal, invalidInput, TaskError } from "./task-error.ts";

const DEADLINE_MS = 15_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

interface Current {
  /** `undefined`: the key was removed. */
  readonly text: string | undefined;
  readonly revision: number;
  readonly writeId: string | null;
}

/** Settings of the bucket. */
export type SharedOptions = Pick<SharedBucketOptions, "replicas" | "jsDomain">;

export class SharedState {
  readonly #link: BusConnection;
  readonly #options: SharedOptions;
  readonly #logger: Logger;
  #bucket: { readonly of: unknown; readonly opened: Promise<KvBucket> } | null = null;

  constructor(link: BusConnection, options: SharedOptions, logger: Logger) {
    this.#link = link;
    this.#options = options;
    this.#logger = logger;
  }

  async put(key: string, value: unknown, ttlSeconds: number | undefined): Promise<void> {
    const text = toJsonText("value", value);
    requireKey(key);
    await this.#untilDone(async (bucket) => {
      const outcome = await bucket.put(key, text, ttlSeconds);
      if (outcome.kind !== "written") throw unknownOutcome(key);
    });
  }

  /** The value of the key; `null` if there is none. */
  async get(key: string): Promise<unknown> {
    requireKey(key);
    return valueOf(key, await this.#untilDone((bucket) => load(bucket, key)));
  }

  /** Writes the value if the key has the expected one. `expected` is `null`: only if the key has none. */
  compareAndSwap(
    key: string,
    expected: unknown,
    value: unknown,
    ttlSeconds: number | undefined,
  ): Promise<boolean> {
    const text = toJsonText("value", value);
    const wanted = toJsonText("expected", expected ?? null, canonicalJson);
    requireKey(key);
    const writeId = newWriteId();
    /** The revision that our write expected, if the outcome of that write is unknown. */
    let uncertain: number | null = null;
    return this.#untilDone(async (bucket) => {
      for (;;) {
        const current = await load(bucket, key);
        const revision = current?.revision ?? 0;
        if (current?.writeId === writeId) return true;
        // Another client has written, instead of our write or after it: we cannot know which.
        if (uncertain !== null && revision !== uncertain) throw unknownOutcome(key, false);
        if (canonicalJson(valueOf(key, current)) !== wanted) return false;
        const outcome = await bucket.write(key, text, revision, { ttlSeconds, writeId });
        if (outcome.kind === "written") return true;
        // The value may be the expected one in a new revision.
        if (outcome.kind === "conflict" && outcome.isDoubtful !== true) continue;
        uncertain = revision;
        throw unknownOutcome(key);
      }
    });
  }

  /** Removes the key. Returns whether it existed. */
  delete(key: string): Promise<boolean> {
    requireKey(key);
    let isUncertain = false;
    return this.#untilDone(async (bucket) => {
      for (;;) {
        const current = await load(bucket, key);
        if (current?.text === undefined) return isUncertain;
        const outcome = await bucket.purge(key, current.revision);
        if (outcome.kind === "written") return true;
        if (outcome.kind === "conflict" && outcome.isDoubtful !== true) continue;
        isUncertain = true;
        throw unknownOutcome(key);
      }
    });
  }

  /** Resolves when the watch is set up. The returned function ends the watch. */
  watch(prefix: string, callback: (change: SharedChange) => unknown): Promise<() => void> {
    return this.#untilDone((bucket) => watchShared(bucket, prefix, callback, this.#logger));
  }

  /** Retries for up to 15 s while NATS does not answer. */
  async #untilDone<T>(use: (bucket: KvBucket) => Promise<T>): Promise<T> {
    return pRetry(
      async () => {
        try {
          return await use(await this.#open());
        } catch (error) {
          throw toTaskError(error);
        }
      },
      {
        retries: Infinity,
        minTimeout: FIRST_PAUSE_MS,
        maxTimeout: LONGEST_PAUSE_MS,
        randomize: true,
        maxRetryTime: DEADLINE_MS,
        shouldRetry: ({ error }) => error instanceof TaskError && error.retryable,
      },
    );
  }

  #open(): Promise<KvBucket> {
    const { connection } = this.#link;
    if (this.#bucket?.of === connection) return this.#bucket.opened;
    const opened = openSharedBucket(connection, {
      ...this.#options,
      watchFailed: (cause) => {
        this.#logger.warn(`the watch on the bucket shared begins again: ${String(cause)}`);
      },
    });
    const bucket = { of: connection, opened };
    this.#bucket = bucket;
    opened.catch(() => {
      if (this.#bucket === bucket) this.#bucket = null;
    });
    return opened;
  }
}

/** The text and the revision of a key. The revision of a removed key is that of its marker. */
async function load(bucket: KvBucket, key: string): Promise<Current | null> {
  const message = await bucket.load(key);
  if (message === null) return null;
  const { operation, text, revision, writeId } = message;
  return { text: operation === "put" ? text : undefined, revision, writeId };
}

/** @throws TaskError `corrupt_record` */
function valueOf(key: string, current: Current | null): unknown {
  return current?.text === undefined ? null : readShared(key, current.text);
}

function requireKey(key: string): void {
  if (!isValidId(key)) throw invalidInput("key", `"${key}" is not a key: use ${idRuleFor(key)}`);
}

function unknownOutcome(key: string, retryable = true): TaskError {
  const message = `NATS did not acknowledge the write of ${key}: it may have been carried out`;
  return new TaskError("unavailable", message, { retryable });
}

function toTaskError(error: unknown): unknown {
  if (error instanceof CoordinatorError) return fromLocalRefusal(error);
  if (error instanceof TaskError) return error;
  const problem = error instanceof Error ? error.message : String(error);
  const retryable = !(error instanceof ConnectionError && isLasting(error));
  return new TaskError("unavailable", problem, { retryable, cause: error });
}

/** A missing JetStream or an unsuitable bucket does not pass by itself. A silent server may just be starting. */
function isLasting({ cause }: ConnectionError): boolean {
  return !(cause instanceof Error) || cause.name.startsWith("JetStream");
}
