/** Reads the bucket `leases` as any NATS client can, without a coordinator. */
import { type LeaseName, parseLeaseKey } from "../protocol/lease-key.ts";
import type { HistoryAccess } from "./history-access.ts";
import { readBatch, type StoredMessage } from "./kv-batch.ts";
import { LEASES_BUCKET } from "./kv-buckets.ts";
import { readLease } from "./kv-lease-store.ts";
import { operationOf } from "./kv-message.ts";

/** A lease, or what is left of it. */
export interface RecordedLease {
  readonly name: LeaseName;
  /** `false`: the lease has ended. */
  readonly isLive: boolean;
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
    leases.push(...page.flatMap((message) => toLease(message) ?? []));
    const last = page.at(-1);
    if (last === undefined) return leases;
    from = last.seq + 1;
  }
}

/** `null`: the entry is not that of a lease. */
function toLease(message: StoredMessage): RecordedLease | null {
  const name = parseLeaseKey(message.subject.slice(PREFIX.length));
  if (name === null) return null;
  const isPut = operationOf(() => message.header) === "put";
  const isLive = isPut && readLease(name, message.string()) !== null;
  return { name, isLive, writtenAt: message.time.getTime() };
}
