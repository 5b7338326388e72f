/** Removes finished tasks on a client's connection at once, for commands that must leave nothing behind. */
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import type { WriteOutcome } from "../service/ports.ts";
import { inDomain } from "./js-domain.ts";
import { KvBucket } from "./kv-bucket.ts";
import { TASKS_BUCKET } from "./kv-buckets.ts";
import { KvWriter } from "./kv-writer.ts";
import { LeaderReads } from "./leader-reads.ts";

const TIMEOUT_MS = 2_500;

export class TaskRemoval {
  readonly #bucket: KvBucket;

  private constructor(bucket: KvBucket) {
    this.#bucket = bucket;
  }

  /**
   * It works for as long as the connection is open.
   *
   * @param jsDomain the JetStream domain of the buckets. `undefined`: the server's own
   */
  static async open(connection: NatsConnection, jsDomain?: string): Promise<TaskRemoval> {
    const options = { timeout: TIMEOUT_MS, checkAPI: false, ...inDomain(jsDomain) };
    const jsm = await jetstreamManager(connection, options);
    const writer = new KvWriter(connection, TIMEOUT_MS);
    const reads = new LeaderReads(connection, jsm, TIMEOUT_MS);
    void connection.closed().then(() => {
      writer.stop();
      reads.stop();
    });
    const access = { connection, jsm, writer, reads, watchFailed: () => undefined };
    return new TaskRemoval(new KvBucket(TASKS_BUCKET, access));
  }

  /**
   * Removes the task with its history. A marker for those who watch stays, and deletes itself.
   *
   * @param revision of the finished task; 0: there is no such task, to see whether the user may remove any
   * @throws CoordinatorError if the server refuses it
   */
  remove(taskId: string, revision: number): Promise<WriteOutcome> {
    return this.#bucket.purge(taskId, revision);
  }
}
