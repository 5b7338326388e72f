/** Task records in the bucket `tasks`. */
import type { NatsConnection } from "@nats-io/transport-node";
import { CorruptRecordError, decodeTask, encodeTask } from "../protocol/task-record.ts";
import type { Stoppable, TaskEntry, TaskStore, Watch, WriteOutcome } from "../service/ports.ts";
import type { Task } from "../task/task.ts";
import { TASKS_BUCKET } from "./kv-buckets.ts";
import { type KvAccess, KvBucket, type KvMessage } from "./kv-bucket.ts";

/** Of what NATS carries, the part that a record may take: a claim makes it a little longer. */
const MAX_PAYLOAD_SHARE = 0.96;
/** Shorter texts cannot grow over the limit when they are written anew: `1e20` becomes 21 digits. */
const GROWTH = 8;

export class KvTaskStore implements TaskStore {
  readonly #bucket: KvBucket;
  readonly #connection: NatsConnection;
  readonly #failed: (error: unknown) => void;
  readonly #corrupt: (taskId: string, problem: string) => void;
  /** Revisions, by key, of what was reported. */
  readonly #reported = new Map<string, number>();

  /**
   * @param failed is told of a watch that broke and begins again
   * @param corrupt is told of each entry that the watch delivers and that is no task
   */
  constructor(
    access: KvAccess,
    failed: (error: unknown) => void,
    corrupt: (taskId: string, problem: string) => void,
  ) {
    this.#bucket = new KvBucket(TASKS_BUCKET, access);
    this.#connection = access.connection;
    this.#failed = failed;
    this.#corrupt = corrupt;
  }

  async load(taskId: string): Promise<TaskEntry | null> {
    const message = await this.#bucket.load(taskId);
    return message === null ? null : this.#toEntry(message);
  }

  lastRevision(): Promise<number> {
    return this.#bucket.lastRevision();
  }

  write(task: Task, expectedRevision: number): Promise<WriteOutcome> {
    return this.#bucket.write(task.taskId, serialize(task), expectedRevision);
  }

  sizeOf(task: Task): number {
    return Buffer.byteLength(serialize(task));
  }

  purge(taskId: string, expectedRevision: number): Promise<WriteOutcome> {
    return this.#bucket.purge(taskId, expectedRevision);
  }

  async history(taskId: string): Promise<TaskEntry[]> {
    return (await this.#bucket.history(taskId)).map(this.#toEntry);
  }

  async entriesAfter(revision: number, limit: number): Promise<TaskEntry[]> {
    return (await this.#bucket.messagesAfter(revision, limit)).map(this.#toEntry);
  }

  watch(watch: Watch<TaskEntry>): Promise<Stoppable> {
    const toEntry = (message: KvMessage): TaskEntry => {
      const entry = this.#toEntry(message);
      this.#report(entry);
      return entry;
    };
    return this.#bucket.watch(toEntry, watch, this.#failed);
  }

  /** Each unreadable entry once, however often the watch begins again. */
  #report(entry: TaskEntry): void {
    const { taskId, revision } = entry;
    if (!("corrupt" in entry)) this.#reported.delete(taskId);
    else if (this.#reported.get(taskId) !== revision) {
      this.#reported.set(taskId, revision);
      this.#corrupt(taskId, entry.corrupt);
    }
  }

  readonly #toEntry = (message: KvMessage): TaskEntry => {
    const { key: taskId, revision, writtenAt } = message;
    if (message.operation !== "put") return { taskId, revision, removed: true };
    try {
      const task = decodeTask(message.text, { taskId, revision, writtenAt });
      this.#requireRoom(message.text, task);
      return { taskId, revision, task };
    } catch (error) {
      if (!(error instanceof CorruptRecordError)) throw error;
      return { taskId, revision, corrupt: error.message };
    }
  };

  /** A record that cannot be written again, as one written by hand may be, is no task. */
  #requireRoom(text: string, task: Task): void {
    const limit = (this.#connection.info?.max_payload ?? Infinity) * MAX_PAYLOAD_SHARE;
    if (text.length * GROWTH <= limit || this.sizeOf(task) <= limit) return;
    throw new CorruptRecordError(
      `the record has ${this.sizeOf(task)} bytes, too many for a claim of it to fit into one NATS message`,
    );
  }
}

function serialize(task: Task): string {
  return JSON.stringify(encodeTask(task));
}
