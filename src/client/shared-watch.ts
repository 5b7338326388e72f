/** Calls back once for each change of the shared keys, even if the watch on the bucket begins again. */
import type { KvBucket, KvMessage } from "../nats/shared-bucket.ts";
import { WatchedMap } from "../watched/watched-map.ts";
import { describeError, type Logger } from "./logger.ts";
import { readShared } from "./shared-value.ts";

/** A change of a shared key. */
export interface SharedChange {
  /** The whole key, including the prefix. */
  readonly key: string;
  /** `expired`: the TTL of the key was over. */
  readonly operation: "put" | "deleted" | "expired";
  /** The new value; `null` unless the operation is `put`. */
  readonly value: unknown;
  /** The revision in the bucket `shared`. It grows with each change. */
  readonly revision: number;
}

/**
 * Calls the callback for each existing key, then for each change. If several changes follow each other quickly,
 * only the last one is guaranteed to be delivered.
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
  /** `undefined` if the value cannot be read exactly. That is logged, because a changed value would mislead. */
  const read = (key: string, text: string): unknown => {
    try {
      return readShared(key, text);
    } catch (error) {
      logger.error(`watch("${prefix}") skips a change: ${describeError(error)}`);
      return undefined;
    }
  };
  known.onChange((key, before, after, message) => {
    if (after === null) {
      // Without a message: the watch was interrupted, and the key is gone without a marker.
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
