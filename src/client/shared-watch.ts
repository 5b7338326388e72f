/** Tells of every change of the shared keys, once, whatever happens to the watch below it. */
import type { KvBucket, KvMessage } from "../nats/shared-bucket.ts";
import { readShared } from "./shared-value.ts";
import { describeError, type Logger } from "./logger.ts";

/** What has become of a key. */
export interface SharedChange {
  /** The whole key, with the prefix. */
  readonly key: string;
  /** `expired`: its TTL has run out. */
  readonly operation: "put" | "deleted" | "expired";
  /** `null` unless it was put. */
  readonly value: unknown;
  /** Of the bucket `shared`; grows from change to change. */
  readonly revision: number;
}

/**
 * Calls the callback for each key that there is, then for each change. Only the newest of several
 * changes in quick succession is sure to be told.
 */
export async function watchShared(
  bucket: KvBucket,
  prefix: string,
  callback: (change: SharedChange) => unknown,
  logger: Logger,
): Promise<() => void> {
  const known = new Map<string, number>();
  let present: Set<string> | null = null;
  let isStopped = false;

  const tell = async (change: SharedChange): Promise<void> => {
    if (isStopped) return;
    try {
      await callback(change);
    } catch (error) {
      logger.error(`the callback of watch("${prefix}") failed: ${describeError(error)}`);
    }
  };
  /** `undefined` for what cannot be read as it is: told in the log, instead of as another value. */
  const read = (key: string, text: string): unknown => {
    try {
      return readShared(key, text);
    } catch (error) {
      logger.error(`watch("${prefix}") leaves out a change: ${describeError(error)}`);
      return undefined;
    }
  };
  const entry = ({ key, operation, revision, text }: KvMessage): void => {
    if (!key.startsWith(prefix)) return;
    const before = known.get(key);
    if (operation === "put") {
      present?.add(key);
      // What was there before is delivered anew when the watch begins again.
      if (before === revision) return;
      known.set(key, revision);
      const value = read(key, text);
      if (value !== undefined) void tell({ key, operation, value, revision });
    } else if (known.delete(key)) {
      const told = operation === "expired" ? "expired" : "deleted";
      void tell({ key, operation: told, value: null, revision });
    }
  };
  const watch = await bucket.watch((message) => message, {
    restarted: () => {
      present = new Set();
    },
    entry,
    current: () => {
      const found = present;
      present = null;
      for (const [key, revision] of found === null ? [] : known) {
        // It went while nobody watched, and its marker as well.
        if (found?.has(key) === true) continue;
        known.delete(key);
        void tell({ key, operation: "deleted", value: null, revision });
      }
    },
  });
  return () => {
    isStopped = true;
    void watch.stop();
  };
}
