/**
 * Reads the history of the bucket `tasks` as any NATS client can, without a coordinator. It serves to check
 * what the coordinator did.
 */
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { CorruptRecordError, decodeTask } from "../protocol/task-record.ts";
import type { Task } from "../task/task.ts";
import type { HistoryAccess } from "./history-access.ts";
import { readBatch, type StoredMessage } from "./kv-batch.ts";
import { TASKS_BUCKET } from "./kv-buckets.ts";
import { operationOf, writeIdOf } from "./kv-message.ts";

export interface RecordedEntry {
  readonly taskId: string;
  readonly revision: number;
  /** By the clock of the NATS server, epoch milliseconds. `null`: not known. */
  readonly writtenAt: number | null;
  /** `null`: this entry removed the task, or its value is not a task. */
  readonly task: Task | null;
  /** Why the value is not a task. `null` if it is one, or if the entry removed the task. */
  readonly unreadable: string | null;
  /** The revision that the write replaced, which NATS has checked; 0: none. `null`: the writer did not say. */
  readonly replaces: number | null;
  /** Whether a worker wrote it. Otherwise somebody wrote it by hand. */
  readonly isByWorker: boolean;
}

/** What a bucket has when a read begins. */
export interface BucketExtent {
  readonly lastRevision: number;
  /** How many entries there are. Fewer than `lastRevision` if some were removed. */
  readonly entries: number;
  /** How many entries of each task it keeps. */
  readonly history: number;
}

const STREAM = `KV_${TASKS_BUCKET}`;
const PREFIX = `$KV.${TASKS_BUCKET}.`;
/** One page takes some milliseconds, and at most this much memory. */
const PAGE = { entries: 2_000, bytes: 4 * 1024 * 1024 } as const;
/** A busy server may not send a page in time. */
const TRIES = 5;

export async function bucketExtent({ jsm }: HistoryAccess): Promise<BucketExtent> {
  const { state, config } = await jsm.streams.info(STREAM);
  const { last_seq: lastRevision, messages: entries } = state;
  return { lastRevision, entries, history: config.max_msgs_per_subject };
}

/**
 * The entries up to a revision in the order of the writes, page by page, so that memory does not depend on
 * their number. What is trimmed during the read may be missing.
 */
export async function* readPages(
  access: HistoryAccess,
  upTo: number,
): AsyncGenerator<readonly RecordedEntry[]> {
  let next = readPage(access, 1);
  for (;;) {
    const page = await next;
    const last = page.at(-1)?.seq;
    if (last === undefined) return;
    // The server reads the next page while this one is decoded.
    if (last < upTo) {
      next = readPage(access, last + 1);
      // The error is thrown by the `await`. Nobody awaits if the caller stops before.
      next.catch(() => undefined);
    }
    yield page.filter(({ seq }) => seq <= upTo).map(toRecordedEntry);
    if (last >= upTo) return;
  }
}

/**
 * Every entry that the bucket has now, in the order of the writes.
 *
 * @throws Error if fewer entries arrive than the bucket has
 */
export async function readHistory(connection: NatsConnection): Promise<RecordedEntry[]> {
  const access = { connection, jsm: await jetstreamManager(connection, { checkAPI: false }) };
  const { lastRevision, entries: expected } = await bucketExtent(access);
  const entries: RecordedEntry[] = [];
  for await (const page of readPages(access, lastRevision)) entries.push(...page);
  if (entries.length < expected) {
    throw new Error(
      `the bucket "tasks" has ${expected} entries but only ${entries.length} could be read`,
    );
  }
  return entries;
}

/** The entries of some tasks up to a revision, in the order of the writes. */
export async function readHistoryOf(
  access: HistoryAccess,
  taskIds: readonly string[],
  upTo: number,
): Promise<RecordedEntry[]> {
  const entries: RecordedEntry[] = [];
  for (const taskId of taskIds) {
    const messages = await readPage(access, 1, taskId);
    entries.push(...messages.filter(({ seq }) => seq <= upTo).map(toRecordedEntry));
  }
  return entries.sort((a, b) => a.revision - b.revision);
}

/** The revision of the last entry of the task, as the leader of the bucket has it; 0 without an entry. */
export async function lastRevisionOf({ jsm }: HistoryAccess, taskId: string): Promise<number> {
  const last = await jsm.streams.getMessage(STREAM, { last_by_subj: PREFIX + taskId });
  return last?.seq ?? 0;
}

async function readPage(access: HistoryAccess, from: number, key = ">"): Promise<StoredMessage[]> {
  const query = { seq: from, batch: PAGE.entries, next_by_subj: PREFIX + key };
  for (let attempt = 1; ; attempt++) {
    try {
      return await readBatch(access, STREAM, query, PAGE.bytes);
    } catch (error) {
      if (attempt === TRIES) throw error;
    }
  }
}

function toRecordedEntry(message: StoredMessage): RecordedEntry {
  const headers = (): StoredMessage["header"] => message.header;
  const entry = {
    taskId: message.subject.slice(PREFIX.length),
    revision: message.seq,
    writtenAt: message.time.getTime(),
    replaces: replacedBy(message),
    isByWorker: writeIdOf(headers) !== null,
  };
  const removed = operationOf(headers) !== "put";
  return { ...entry, ...(removed ? { task: null, unreadable: null } : readTask(entry, message)) };
}

function readTask(
  { taskId, revision, writtenAt }: { taskId: string; revision: number; writtenAt: number },
  message: StoredMessage,
): Pick<RecordedEntry, "task" | "unreadable"> {
  try {
    return {
      task: decodeTask(message.string(), { taskId, revision, writtenAt }),
      unreadable: null,
    };
  } catch (error) {
    if (!(error instanceof CorruptRecordError)) throw error;
    return { task: null, unreadable: error.message };
  }
}

function replacedBy({ header }: StoredMessage): number | null {
  try {
    const text = header?.get("Nats-Expected-Last-Subject-Sequence") ?? "";
    return text === "" ? null : Number(text);
  } catch {
    // Malformed headers are not those of a worker.
    return null;
  }
}
