/**
 * Reads the whole history of the bucket `tasks` as any NATS client can, without a coordinator. It serves to
 * check what the coordinator did.
 */
import { type KvEntry, Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/nats-core";
import { decodeTask } from "../protocol/task-record.ts";
import type { Task } from "../task/task.ts";

export interface RecordedEntry {
  readonly taskId: string;
  readonly revision: number;
  /** `null`: this entry removed the task, or its value is not a task. */
  readonly task: Task | null;
}

/**
 * Every entry that the bucket has now, in the order of the writes.
 *
 * @throws Error if fewer entries arrive than the bucket has
 */
export async function readHistory(connection: NatsConnection): Promise<RecordedEntry[]> {
  const bucket = await new Kvm(connection).open("tasks");
  const { values: expected } = await bucket.status();
  const entries: RecordedEntry[] = [];
  // The history of an empty bucket has no end to stop at.
  if (expected === 0) return entries;
  for await (const entry of await bucket.history()) entries.push(toRecordedEntry(entry));
  if (entries.length < expected) {
    throw new Error(
      `the bucket "tasks" has ${expected} entries but only ${entries.length} could be read`,
    );
  }
  return entries;
}

function toRecordedEntry(entry: KvEntry): RecordedEntry {
  return { taskId: entry.key, revision: entry.revision, task: readTask(entry) };
}

function readTask(entry: KvEntry): Task | null {
  if (entry.operation !== "PUT") return null;
  const { key: taskId, revision } = entry;
  try {
    return decodeTask(entry.string(), { taskId, revision, writtenAt: entry.created.getTime() });
  } catch {
    return null;
  }
}
