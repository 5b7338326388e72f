/** What `followUp` answers in each situation, as the table of docs/states.md says it. */
import { followUp, type LeaseState, type Situation } from "../../src/task/follow-up.ts";
import { CONNECTION_LOST, LEASE_EXPIRED, type Task } from "../../src/task/task.ts";
import * as sample from "../task/sample-task.ts";

/** The defaults, and a retention time. */
const TIMING = { steady: 0, now: sample.NOW, leaseGraceMs: 3_000, retentionMs: 60_000 };

interface Case {
  readonly name: string;
  readonly task: Task | null;
  readonly given?: Partial<Situation>;
}

const claimed = sample.claimedTask();
const short = sample.claimedTask({ ttlSeconds: 5 });
const old = { updatedAt: sample.NOW - TIMING.retentionMs };
const complete = sample.availableTask({ status: "complete" });

function missing(
  isOwn: boolean,
  { namesConnection = false, isUsed = false } = {},
): Partial<Situation> {
  return { lease: { kind: "missing", since: 0, isOwn, namesConnection, isUsed } };
}

function leaseIs(lease: LeaseState): Partial<Situation> {
  return { lease };
}

const lost = leaseIs({ kind: "live", endsAt: 0 });
const ended = { kind: "ended", reason: LEASE_EXPIRED, sparedUntil: 0 } as const;

const CASES: readonly Case[] = [
  { name: "a lease of a claim that is over", task: claimed, given: { hasOldLeases: true } },
  { name: "a lease of a task that was removed", task: null, given: { hasOldLeases: true } },
  { name: "a claim that this worker has just made", task: claimed, given: missing(true) },
  { name: "the same, with a TTL of 5 s or less", task: short, given: missing(true) },
  {
    name: "the same, and it names a connection",
    task: claimed,
    given: missing(true, { namesConnection: true }),
  },
  {
    name: "the same, and an earlier task has used the key",
    task: claimed,
    given: missing(true, { namesConnection: true, isUsed: true }),
  },
  { name: "a claim of another worker, without a lease", task: claimed, given: missing(false) },
  { name: "a claim whose lease lasts", task: claimed },
  {
    name: "its connection is lost",
    task: claimed,
    given: leaseIs({ kind: "live", endsAt: 500 }),
  },
  { name: "its connection was lost a grace period ago", task: claimed, given: lost },
  { name: "the same, in an outage", task: claimed, given: { ...lost, isOutage: true } },
  { name: "a claim whose lease has expired", task: claimed, given: leaseIs(ended) },
  {
    name: "a claim whose lease has ended with its connection",
    task: claimed,
    given: leaseIs({ ...ended, reason: CONNECTION_LOST }),
  },
  {
    name: "the lease has ended, and its holder is spared",
    task: claimed,
    given: leaseIs({ ...ended, sparedUntil: 10_000 }),
  },
  { name: "a claim whose session was replaced", task: claimed, given: { isReplaced: true } },
  { name: "a blocked task without unmet dependencies", task: sample.blockedTask() },
  {
    name: "an available task with an unmet dependency",
    task: sample.availableTask(),
    given: { isWaiting: () => true },
  },
  { name: "a finished task", task: complete },
  { name: "a finished task, after the retention time", task: { ...complete, ...old } },
  {
    name: "the same, but a task that depends on it is not complete",
    task: { ...complete, ...old },
    given: { isNeeded: () => true },
  },
];

/** The rows of the table, as `table` of test/support/markdown.ts reads them. */
export function followUpTable(): Record<string, string>[] {
  return CASES.map(({ name, task, given }) => ({
    Situation: name,
    "What follows": cell({
      task: sample.followed(task),
      lease: task?.status === "claimed" ? { kind: "live", endsAt: null } : null,
      ...{ hasOldLeases: false, isReplaced: false, isOutage: false },
      ...{ isWaiting: () => false, isNeeded: () => false },
      ...given,
    }),
  }));
}

function cell(situation: Situation): string {
  const decision = followUp(situation, TIMING);
  if (decision === null) return "nothing";
  if (decision.kind === "again") return `looks again after ${decision.at / 1000} s`;
  return decision.kind === "expire" ? `expire, ${decision.reason}` : decision.kind;
}
