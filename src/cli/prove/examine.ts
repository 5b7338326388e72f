/** Reads the buckets of a coordinator that may be in use, and judges what they tell. */
import { Census } from "../../history/census.ts";
import { Judge } from "../../history/judge.ts";
import { judgeDependents, judgeLeases, uncheckedLeases } from "../../history/state-rules.ts";
import type { Violation } from "../../history/tally.ts";
import type { HistoryAccess } from "../../nats/history-access.ts";
import {
  type BucketExtent,
  bucketExtent,
  lastRevisionOf,
  readHistoryOf,
  readPages,
  type RecordedEntry,
} from "../../nats/read-history.ts";
import { readLeases, type RecordedLease } from "../../nats/read-leases.ts";
import { leaseKeyOf } from "../../protocol/lease-key.ts";

export interface Question {
  /** Only this task, with its dependencies to compare it with. */
  readonly taskId?: string;
  /** Only tasks whose id begins with it. */
  readonly prefix?: string;
  /** For how long a claim may be without a lease, and a task may lag behind its dependencies. */
  readonly graceMs: number;
  /** The violations of each rule, and examples of other things, that are kept. */
  readonly maxKept: number;
  /** Called now and then with the revision that was read. */
  readonly onProgress?: (revision: number, last: number) => void;
}

export interface Proof {
  readonly extent: BucketExtent;
  readonly judge: Judge;
  readonly census: Census;
}

/** The most violations that are compared again with the bucket. */
const MAX_CONFIRMED = 1_000;

/** Judges a consistent prefix: everything up to the last revision at the moment of the call. */
export async function examine(access: HistoryAccess, question: Question): Promise<Proof> {
  const { taskId, prefix = "", graceMs, maxKept, onProgress } = question;
  const extent = await bucketExtent(access);
  const isJudged = (id: string): boolean =>
    taskId === undefined ? id.startsWith(prefix) : id === taskId;
  const judge = new Judge({
    isJudged,
    maxKept: Math.max(maxKept, MAX_CONFIRMED),
    ...(taskId === undefined ? {} : { hasGaps: extent.entries < extent.lastRevision }),
  });
  const census = new Census(maxKept);
  const pages =
    taskId === undefined
      ? readPages(access, extent.lastRevision)
      : [await withDependencies(access, taskId, extent.lastRevision)];
  for await (const page of pages) {
    for (const entry of page) {
      census.see(entry);
      if (isJudged(entry.taskId)) census.count(entry);
      judge.take(entry);
    }
    onProgress?.(page.at(-1)?.revision ?? 0, extent.lastRevision);
  }
  await judgeStates(access, judge, census, graceMs);
  await confirm(access, judge);
  return { extent, judge, census };
}

async function withDependencies(
  access: HistoryAccess,
  taskId: string,
  upTo: number,
): Promise<readonly RecordedEntry[]> {
  const own = await readHistoryOf(access, [taskId], upTo);
  const ids = new Set(own.flatMap(({ task }) => task?.dependsOn ?? []));
  ids.delete(taskId);
  const others = await readHistoryOf(access, [...ids], upTo);
  return [...own, ...others].sort((a, b) => a.revision - b.revision);
}

/** Whether tasks fit their dependencies and leases, which may be read later than the tasks. */
async function judgeStates(
  access: HistoryAccess,
  judge: Judge,
  { lastWorkAt }: Census,
  graceMs: number,
): Promise<void> {
  const leases = await leasesOf(access);
  const lastLiveAt = leases?.findLast(({ isLive }) => isLive)?.writtenAt ?? 0;
  const patience = { lastWorkAt: Math.max(lastWorkAt, lastLiveAt), graceMs };
  judgeDependents(judge, patience);
  if (leases === null) uncheckedLeases(judge);
  else
    judgeLeases(judge, new Map(leases.map((lease) => [leaseKeyOf(lease.name), lease])), patience);
}

/** `null` if the bucket cannot be read: it may be missing, or the user may not be permitted to. */
async function leasesOf(access: HistoryAccess): Promise<RecordedLease[] | null> {
  try {
    return await readLeases(access);
  } catch {
    return null;
  }
}

/** While the judge read, tasks may have changed and old records may have been removed. */
async function confirm(access: HistoryAccess, judge: Judge): Promise<void> {
  const revisions = new Map<string, number>();
  const isUnchanged = async (id: string): Promise<boolean> => {
    const now = revisions.get(id) ?? (await lastRevisionOf(access, id));
    revisions.set(id, now);
    return now === (judge.trails.get(id)?.revision ?? 0);
  };
  for (const violation of judge.tally.violations) {
    if (!(await rests(violation, isUnchanged))) judge.tally.withdraw(violation, "changed");
  }
}

async function rests(
  { restsOn }: Violation,
  isUnchanged: (id: string) => Promise<boolean>,
): Promise<boolean> {
  for (const id of restsOn) if (!(await isUnchanged(id))) return false;
  return true;
}
