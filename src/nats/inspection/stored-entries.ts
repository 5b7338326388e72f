/** Reads entries of the buckets directly, without a consumer: nothing is left behind in NATS. */
import type { JetStreamManager, StoredMsg } from "@nats-io/jetstream";
import { JetStreamStatusError } from "@nats-io/jetstream/internal";
import { type LeaseName, leaseKeyOf, parseLeaseKey } from "../../protocol/lease-key.ts";
import { readLease as decodeLease } from "../kv-lease-store.ts";
import { LEASES_BUCKET, TASKS_BUCKET } from "../kv-buckets.ts";
import { operationOf } from "../kv-message.ts";

export interface StoredLease extends LeaseName {
  readonly sessionId: string;
  /** Whether the holder has reported progress. */
  readonly hasProgress: boolean;
}

/** Entries of one request. */
const BATCH = 1_000;
const NO_MESSAGE = 404;

/**
 * All leases that run, by their keys. A lease that ends meanwhile can be among them.
 *
 * @throws Error if the bucket cannot be read
 */
export async function readLeases(
  jsm: JetStreamManager,
  signal: AbortSignal,
): Promise<Map<string, StoredLease>> {
  const leases = new Map<string, StoredLease>();
  let next = 1;
  for (;;) {
    signal.throwIfAborted();
    const batch = await readBatch(jsm, next);
    for (const message of batch) {
      const lease = toLease(message);
      if (lease !== null) leases.set(leaseKeyOf(lease), lease);
      next = message.seq + 1;
    }
    if (batch.length < BATCH) return leases;
  }
}

/** The lease at this moment; `null` if it does not run. */
export async function readLease(
  jsm: JetStreamManager,
  name: LeaseName,
): Promise<StoredLease | null> {
  const query = { last_by_subj: keyOf(LEASES_BUCKET, leaseKeyOf(name)) };
  const message = await jsm.direct.getMessage(streamOf(LEASES_BUCKET), query);
  return message === null ? null : toLease(message);
}

/** The keys of the bucket `tasks`, also those of removed tasks. */
export async function readTaskKeys(jsm: JetStreamManager): Promise<string[]> {
  const { state } = await jsm.streams.info(streamOf(TASKS_BUCKET), {
    subjects_filter: keyOf(TASKS_BUCKET, ">"),
  });
  return Object.keys(state.subjects ?? {}).map((subject) => idOf(TASKS_BUCKET, subject));
}

/** Whether the last entry of the key is a value. */
export async function hasValue(jsm: JetStreamManager, taskId: string): Promise<boolean> {
  const query = { last_by_subj: keyOf(TASKS_BUCKET, taskId) };
  const message = await jsm.direct.getMessage(streamOf(TASKS_BUCKET), query);
  return message !== null && operationOf(() => message.header) === "put";
}

async function readBatch(jsm: JetStreamManager, seq: number): Promise<StoredMsg[]> {
  const messages: StoredMsg[] = [];
  try {
    for await (const message of await jsm.direct.getBatch(streamOf(LEASES_BUCKET), {
      seq,
      batch: BATCH,
    })) {
      messages.push(message);
    }
  } catch (error) {
    // No entry has this sequence or a later one.
    if (!(error instanceof JetStreamStatusError && error.code === NO_MESSAGE)) throw error;
  }
  return messages;
}

function toLease(message: StoredMsg): StoredLease | null {
  const name = parseLeaseKey(idOf(LEASES_BUCKET, message.subject));
  if (name === null || operationOf(() => message.header) !== "put") return null;
  const lease = decodeLease(name, message.string());
  if (lease === null) return null;
  return { ...name, sessionId: lease.sessionId, hasProgress: lease.progress !== null };
}

function streamOf(bucket: string): string {
  return `KV_${bucket}`;
}

function keyOf(bucket: string, key: string): string {
  return `$KV.${bucket}.${key}`;
}

function idOf(bucket: string, subject: string): string {
  return subject.slice(`$KV.${bucket}.`.length);
}
