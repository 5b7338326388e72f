import { EventEmitter, once } from "node:events";
import type { KvAccess } from "../../src/nats/kv-access.ts";
import { KvBucket } from "../../src/nats/kv-bucket.ts";
import type { KvMessage } from "../../src/nats/kv-message.ts";
import type { Stoppable } from "../../src/service/ports.ts";

const PATIENCE_MS = 15_000;

/** A watch on the bucket `tasks` that records all calls of its handler. */
export class NotedWatch {
  /** `restarted`, `current`, and `<key>=<text>` or `<key> <operation>` for entries. */
  readonly notes: string[] = [];
  readonly failures: unknown[] = [];
  readonly #changed = new EventEmitter().setMaxListeners(0);
  onEntry: (message: KvMessage) => void = () => undefined;

  async start(access: KvAccess, bucket = "tasks"): Promise<Stoppable> {
    const watchFailed = (error: unknown): void => {
      this.failures.push(error);
    };
    return this.startOn(new KvBucket(bucket, { ...access, watchFailed }));
  }

  async startOn(bucket: KvBucket): Promise<Stoppable> {
    return bucket.watch((message) => message, {
      restarted: () => {
        this.#note("restarted");
      },
      entry: (message) => {
        const { key, operation, text } = message;
        this.#note(operation === "put" ? `${key}=${text}` : `${key} ${operation}`);
        this.onEntry(message);
      },
      current: () => {
        this.#note("current");
      },
    });
  }

  /** Resolves when the notes from index `from` on include this one. */
  async noted(note: string, from = 0): Promise<void> {
    while (!this.notes.slice(from).includes(note)) {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      await once(this.#changed, "note", { signal }).catch(() => {
        throw new Error(`no "${note}", only ${this.notes.slice(from).join(", ")}`);
      });
    }
  }

  #note(note: string): void {
    this.notes.push(note);
    this.#changed.emit("note");
  }
}
