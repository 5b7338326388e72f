/** Reads the bucket `leases` as any NATS client can, without a coordinator. */
import { leaseRecord, readStored } from "../protocol/stored-records.ts";
import type { HistoryAccess } from "./history-access.ts";
import { readBatch, type StoredMessage } from "./kv-batch.ts";
import { LEASES_BUCKET } from "./kv-buckets.ts";
import { operationOf } from "./kv-message.ts";

/** A lease, or what is left of it. */
export interface RecordedLease {
  readonly taskId: string;
  /** `null`: the lease has ended. */
  readonly live: { readonly attempt: number; readonly epoch: number } | null;
  /** By the clock of the NATS server, epoch milliseconds. */
  readonly writtenAt: number;
}

const STREAM = `KV_${LEASES_BUCKET}`;
const PREFIX = `$KV.${LEASES_BUCKET}.`;
const PAGE = { entries: 2_000, bytes: 4 * 1024 * 1024 } as const;

/** Every lease that the bucket has now. Renewals move leases to the end, so one may come twice. */
export async function readLeases(access: HistoryAccess): Promise<RecordedLease[]> {
  const leases: RecordedLease[] = [];
  for (let from = 1; ;) {
    const query = { seq: from, batch: PAGE.entries, next_by_subj: `${PREFIX}>` };
    const page = await readBatch(access, STREAM, query, PAGE.bytes);
    leases.push(...page.map(toLease));
    const last = page.at(-1);
    if (last === undefined) return leases;
    from = last.seq + 1;
  }
}

function toLease(message: StoredMessage): RecordedLease {
  const taskId = message.subject.slice(PREFIX.length);
  const isPut = operationOf(() => message.header) === "put";
  const record = isPut ? readStored(leaseRecord, message.string()) : null;
  const writtenAt = message.time.getTime();
  if (record === null || record.disconnected) return { taskId, live: null, writtenAt };
  const { attempt, epoch } = record;
  return { taskId, live: { attempt, epoch }, writtenAt };
}
