/** Tells of every change of the shared keys, once, whatever happens to the watch below it. */
import type { KvBucket, KvMessage } from "../nats/shared-bucket.ts";
import { WatchedMap } from "../watched/watched-map.ts";
import { describeError, type Logger } from "./logger.ts";
import { readShared } from "./shared-value.ts";

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
  const known = new WatchedMap<{ readonly revision: number }, never, KvMessage>({});
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
  known.onChange((key, before, after, message) => {
    if (after === null) {
      // Without a message, the key and its marker went while nobody watched.
      const operation = message?.operation === "expired" ? "expired" : "deleted";
      const revision = message?.revision ?? before?.revision ?? 0;
      void tell({ key, operation, value: null, revision });
    } else if (message !== undefined && after.revision !== before?.revision) {
      const value = read(key, message.text);
      if (value !== undefined) {
        void tell({ key, operation: "put", value, revision: after.revision });
      }
    }
  });
  const watch = await bucket.watch((message) => message, {
    restarted: () => {
      known.restarted();
    },
    entry: (message) => {
      const { key, operation, revision } = message;
      if (!key.startsWith(prefix)) return;
      known.deliver(key, revision, operation === "put" ? { revision } : null, message);
    },
    current: () => {
      known.current();
    },
  });
  return () => {
    isStopped = true;
    void watch.stop();
  };
}
