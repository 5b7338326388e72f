/**
 * The rules for the writes of a bucket: what holds between each record of a task and the one before it. They
 * are those of `simulate`, of `npm run chaos` and of `prove`. `judge.ts` applies them.
 */
import { IMPORTED_STATUSES, LEASE_EXPIRED, type Task, type TaskEvent } from "../task/task.ts";
import type { KnownPast, Past, Write } from "./history.ts";
import { illegalIn } from "./legal-moves.ts";

/** Why a rule cannot judge a write. */
export const UNCHECKED = {
  trimmed: "the record before it is gone",
  by_hand: "it was written by hand, without an event of its own",
  newer: "a newer version of the coordinator wrote it",
  dependency: "the history of a dependency is gone",
  recent: "it happened so recently that a worker may still react",
  idle: "no worker has written since, so perhaps none runs",
  changed: "tasks changed while they were read",
  unread: "the bucket leases cannot be read",
  unsupplied: "the times or revisions that the rule needs are not recorded",
} as const;
export type Unchecked = keyof typeof UNCHECKED;

/** The breaks of the rule in words, or why it cannot tell. `null`: the rule says nothing about such a write. */
export type Outcome = readonly string[] | Unchecked | null;

export interface Rule {
  /** What holds if the rule is kept. */
  readonly holds: string;
  /** The guarantee of docs/guarantees.md to which the rule belongs. */
  readonly guarantee: `G${number}`;
}

export interface WriteRule extends Rule {
  /** Whether it also judges a write by hand that is no transition. Default: it does not. */
  readonly judgesEdits?: true;
  readonly check: (write: Write, past: Past, event: TaskEvent | null) => Outcome;
}

export const WRITE_RULES = {
  one_holder_per_attempt: {
    holds: "no attempt had two holders",
    guarantee: "G3",
    judgesEdits: true,
    check: ({ task }, past) => {
      if (task.status !== "claimed" || past.kind === "nothing") return null;
      if (past.kind === "unknown") return "trimmed";
      if (past.task.attempt !== task.attempt || past.holder === null) return [];
      if (past.holder !== task.claimedBy) {
        return [`attempt ${task.attempt} of ${past.holder} is held by ${task.claimedBy ?? ""}`];
      }
      const isOther =
        past.task.status === "claimed" && past.task.claimInstance !== task.claimInstance;
      return isOther ? [`attempt ${task.attempt} has passed to another process`] : [];
    },
  },
  attempts_grow: {
    holds: "each claim raised the attempt by one, and nothing else changed it",
    guarantee: "G3",
    judgesEdits: true,
    check: ({ task, isByWorker }, past, event) => {
      if (past.kind === "unknown") return "trimmed";
      if (past.kind === "nothing" && !isByWorker) return null;
      const before = past.kind === "known" ? past.task.attempt : 0;
      const expected = before + (isClaim(event) ? 1 : 0);
      return task.attempt === expected
        ? []
        : [`the attempt is ${task.attempt} where ${expected} is due`];
    },
  },
  tokens_grow: {
    holds: "the fencing token of each claim is the revision that the claim replaced",
    guarantee: "G3",
    check: ({ task, replaces }, past, event) => {
      if (past.kind === "nothing") return null;
      const before = past.kind === "known" ? past : null;
      const expected = isClaim(event)
        ? (replaces ?? before?.revision ?? null)
        : (before?.task.fencingToken ?? null);
      if (expected === null) return "trimmed";
      return task.fencingToken === expected
        ? []
        : [`the fencing token is ${task.fencingToken} where ${expected} is due`];
    },
  },
  newest_replaced: {
    holds: "each write of a worker replaced the newest record of its task",
    guarantee: "G1",
    check: ({ replaces, isByWorker }, past) => {
      if (past.kind === "nothing" || !isByWorker) return null;
      if (replaces === null) return "unsupplied";
      if (past.kind === "unknown") return "trimmed";
      return replaces >= past.revision
        ? []
        : [`it replaced revision ${replaces}, although ${past.revision} was there`];
    },
  },
  events_chain: {
    holds: "each event begins where the one before it ended, and fits its record",
    guarantee: "G6",
    check: ({ task, isByWorker }, past, event) => {
      if (event === null) return isByWorker ? ["the record has no event"] : null;
      const problems: string[] = [];
      if (past.kind === "known" && event.oldStatus !== past.task.status) {
        const from = event.oldStatus ?? "none";
        problems.push(`${event.type} comes from ${from}, but the task was ${past.task.status}`);
      }
      if (past.kind === "nothing" && isByWorker && event.type !== "task_created") {
        problems.push(`the history of the task begins with ${event.type}`);
      }
      if (event.newStatus !== task.status) {
        problems.push(`the task is ${task.status}, but its event says ${event.newStatus}`);
      }
      if (event.claimedBy !== task.claimedBy) {
        const [is, says] = [task.claimedBy, event.claimedBy].map((id) => id ?? "nobody");
        problems.push(`${is} holds the task, but its event says ${says}`);
      }
      return problems.length === 0 && past.kind === "unknown" ? "trimmed" : problems;
    },
  },
  moves_allowed: {
    holds: "every transition is one that the rules of tasks allow",
    guarantee: "G1",
    check: ({ task }, past, event) => {
      if (past.kind === "unknown") return "trimmed";
      if (event === null) return null;
      if (past.kind === "nothing") {
        const isBorn = event.type !== "task_created" || BORN_AS.has(task.status);
        return isBorn ? [] : [`task_created makes it ${task.status}`];
      }
      const illegal = illegalIn(past.task, task, event, past.revision);
      if (illegal === undefined) return "newer";
      return illegal === null ? [] : [illegal];
    },
  },
  holder_only: {
    holds: "only the session that held a task renewed, released, completed or failed it",
    guarantee: "G3",
    check: ({ task }, past, event) => {
      const deed = event === null ? undefined : DEEDS.get(event.type);
      if (event === null || deed === undefined || past.kind === "nothing") return null;
      if (past.kind === "unknown") return "trimmed";
      const by = event.sessionId ?? "nobody";
      const holder = past.task.claimedBy;
      if (holder !== event.sessionId) {
        return [`${by} ${deed} attempt ${task.attempt}, held by ${holder ?? "nobody"}`];
      }
      return event.type === "task_completed" && task.completedBy !== holder
        ? [`${by} completed it, but the record names ${task.completedBy ?? "nobody"}`]
        : [];
    },
  },
  completed_once: {
    holds: "no task was completed twice without a requeue in between",
    guarantee: "G1",
    check: ({ task }, past, event) => {
      if (past.kind === "unknown") return "trimmed";
      if (task.status !== "complete" || past.kind === "nothing") return null;
      const { completedAt } = past;
      return completedAt === null || event?.type === "task_updated"
        ? []
        : [`completed again by ${event?.sessionId ?? "nobody"}, after revision ${completedAt}`];
    },
  },
  leases_last: {
    holds: "no lease expired sooner than the shortest lease ends, which is 1 s",
    guarantee: "G4",
    check: ({ task, writtenAt }, past, event) => {
      const isExpiry = event?.reason === LEASE_EXPIRED && event.oldStatus === "claimed";
      if (!isExpiry || past.kind === "nothing") return null;
      if (past.kind === "unknown") return "trimmed";
      if (writtenAt === null || past.leasedAt === null) return "unsupplied";
      const lastedMs = writtenAt - past.leasedAt;
      return lastedMs >= MIN_LEASE_MS
        ? []
        : [`the lease of attempt ${task.attempt} expired after ${lastedMs} ms`];
    },
  },
} as const satisfies Record<string, WriteRule>;
export type WriteRuleName = keyof typeof WRITE_RULES;

/** A rule that compares tasks with each other, or with their leases. */
export const STATE_RULES = {
  dependencies_first: {
    holds: "no task was claimed before all of its dependencies were complete",
    guarantee: "G7",
  },
  dependents_follow: {
    holds: "a task is blocked as long as one of its dependencies is incomplete, and no longer",
    guarantee: "G7",
  },
  claims_leased: {
    holds: "every claimed task has a lease, or got its claim or lost its lease a moment ago",
    guarantee: "G5",
  },
} as const satisfies Record<string, Rule>;
export type StateRuleName = keyof typeof STATE_RULES;

export const RULES: Readonly<Record<RuleName, Rule>> = { ...WRITE_RULES, ...STATE_RULES };
export type RuleName = WriteRuleName | StateRuleName;
export const RULE_NAMES = Object.keys(RULES) as RuleName[];

/** A second less the difference between the clocks of two NATS servers that lead one after the other. */
const MIN_LEASE_MS = 500;

/** The statuses of a new task. */
const BORN_AS: ReadonlySet<string> = new Set(["blocked", "available", ...IMPORTED_STATUSES]);

/** The events that only a holder causes, or whose session is the one that lost the task. */
const DEEDS: ReadonlyMap<string, string> = new Map([
  ["task_renewed", "renewed"],
  ["task_released", "released"],
  ["task_completed", "completed"],
  ["task_attempt_failed", "failed"],
  ["task_failed", "failed"],
  ["task_expired", "lost"],
]);

export function isClaim(event: TaskEvent | null): boolean {
  return event?.type === "task_claimed";
}

/**
 * Whether the write is a change by hand and no transition: it has no event, or repeats the event of the record
 * before it.
 */
export function isEdit({ task: { lastEvent: event }, isByWorker }: Write, past: Past): boolean {
  if (isByWorker) return false;
  if (event === null) return true;
  return past.kind === "known" && isSameEvent(event, past.task.lastEvent);
}

function isSameEvent(event: TaskEvent, other: TaskEvent | null): boolean {
  return (
    event.type === other?.type &&
    event.timestamp === other.timestamp &&
    event.sessionId === other.sessionId &&
    event.newStatus === other.newStatus
  );
}

/** What the next write of the task is compared with. */
export function pastAfter({ revision, writtenAt, task }: Write, past: Past): KnownPast {
  const event = task.lastEvent;
  const before = past.kind === "known" ? past : null;
  const isClaimed = task.status === "claimed";
  const isBegun = isClaim(event) || event?.type === "task_renewed";
  const isRequeued = event?.type === "task_requeued" || event?.type === "task_created";
  const completedBefore = isRequeued ? null : (before?.completedAt ?? null);
  const holderBefore = before?.task.attempt === task.attempt ? before.holder : null;
  return {
    kind: "known",
    revision,
    task: withoutContent(task),
    holder: holderBefore ?? task.claimedBy ?? endedBy(event),
    completedAt: task.status === "complete" ? revision : completedBefore,
    leasedAt: !isClaimed ? null : isBegun ? writtenAt : (before?.leasedAt ?? null),
  };
}

/** The holder of the attempt that the event has ended. `null`: it has ended none, or does not name it. */
function endedBy(event: TaskEvent | null): string | null {
  return event?.oldStatus === "claimed" && DEEDS.has(event.type) ? event.sessionId : null;
}

/** The rules need none of this, and a judge keeps one record of each task in memory. */
function withoutContent(task: Task): Task {
  return {
    ...task,
    title: "",
    description: null,
    tags: NONE,
    metadata: NOTHING,
    payload: null,
    result: null,
    error: null,
    unknownFields: null,
  };
}

const NONE: readonly string[] = [];
const NOTHING = {};
