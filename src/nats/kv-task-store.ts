/** Task records in the bucket `tasks`. */
import { CompactTask } from "../protocol/compact-task.ts";
import {
  CorruptRecordError,
  decodeTask,
  EncodedRecord,
  type RecordOrigin,
} from "../protocol/task-record.ts";
import type {
  BucketState,
  PreparedTask,
  ReadLimit,
  Stoppable,
  TaskEntry,
  TaskStore,
  UnreadableTask,
  Watch,
  WatchedTask,
  WriteOutcome,
} from "../service/ports.ts";
import type { Task } from "../task/task.ts";
import type { KvAccess } from "./kv-access.ts";
import { KvBucket } from "./kv-bucket.ts";
import { TASKS_BUCKET } from "./kv-buckets.ts";
import { type KvMessage, newWriteId, type WatchedMessage } from "./kv-message.ts";
import { PendingWrites } from "./pending-writes.ts";
import { leadOf } from "./proven-lead.ts";

export class KvTaskStore implements TaskStore {
  readonly #bucket: KvBucket;
  readonly #pendingWrites = new PendingWrites<Task>();

  constructor(access: KvAccess) {
    const lead = leadOf(access, `KV_${TASKS_BUCKET}`);
    this.#bucket = new KvBucket(TASKS_BUCKET, { ...access, lead });
  }

  async load(taskId: string): Promise<TaskEntry | null> {
    const message = await this.#bucket.load(taskId);
    return message === null ? null : toEntry(message);
  }

  lastRevision(): Promise<number> {
    return this.#bucket.lastRevision();
  }

  state(): Promise<BucketState> {
    return this.#bucket.state();
  }

  prepare(task: Task): PreparedTask {
    return { task, record: new EncodedRecord(task) };
  }

  write(
    { task, record }: PreparedTask,
    expectedRevision: number,
    writeId = newWriteId(),
  ): Promise<WriteOutcome> {
    const { taskId } = task;
    const payload = record.bytes;
    return this.#pendingWrites.during(taskId, payload, task, () =>
      this.#bucket.write(taskId, payload, expectedRevision, { writeId }),
    );
  }

  newWriteId(): string {
    return newWriteId();
  }

  dropHistory(taskId: string, lastRevision: number): Promise<void> {
    return this.#bucket.dropHistory(taskId, lastRevision);
  }

  purge(taskId: string, expectedRevision: number): Promise<WriteOutcome> {
    return this.#bucket.purge(taskId, expectedRevision);
  }

  async loadFrom(taskId: string, revision: number): Promise<TaskEntry | null> {
    const message = await this.#bucket.loadFrom(taskId, revision);
    return message === null ? null : toEntry(message);
  }

  async entriesAfter(revision: number, limit: ReadLimit, taskId?: string): Promise<TaskEntry[]> {
    return (await this.#bucket.messagesAfter(revision, limit, taskId)).map(toEntry);
  }

  watch(watch: Watch<WatchedTask>): Promise<Stoppable> {
    return this.#bucket.watch((message) => {
      const own = this.#pendingWrites.valueOf(message);
      return own === null
        ? toWatched(message)
        : CompactTask.of(own, message.revision, message.payload.length);
    }, watch);
  }
}

function toEntry(message: KvMessage): TaskEntry {
  return read(message, (origin) => {
    const { taskId, revision } = origin;
    const task = decodeTask(message.text, origin);
    const bytes = Buffer.byteLength(message.text);
    return { taskId, revision, task, bytes, writeId: message.writeId };
  });
}

function toWatched(message: WatchedMessage): WatchedTask {
  return read(message, (origin) => CompactTask.read(message.text, origin, message.payload.length));
}

function read<Entry>(
  message: KvMessage,
  decode: (origin: RecordOrigin) => Entry,
): Entry | UnreadableTask {
  const { key: taskId, revision, writtenAt } = message;
  if (message.operation !== "put") return { taskId, revision, removed: true };
  try {
    return decode({ taskId, revision, writtenAt });
  } catch (error) {
    if (!(error instanceof CorruptRecordError)) throw error;
    return { taskId, revision, corrupt: error.message };
  }
}
