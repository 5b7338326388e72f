/** Whether a run went as docs/guarantees.md promises. */
import type { RecordedEntry } from "../nats/read-history.ts";
import { claimedTooEarly, outOfLine } from "./dependencies.ts";
import type { Operation } from "./linearizability.ts";
import type { RecordedOperation, Recording } from "./recording.ts";
import type { TaskOperation } from "./recorded-operation.ts";
import { wronglyReplaced } from "./replaced-sessions.ts";
import { explain } from "./unanswered.ts";

export interface Problem {
  readonly guarantee: string;
  readonly taskId: string | null;
  readonly what: string;
}

export interface Evidence {
  readonly recording: Recording;
  /** All that the bucket still has at the end, in the order of the revisions. */
  readonly entries: readonly RecordedEntry[];
}

export function judge(evidence: Evidence): Problem[] {
  return [
    ...notLinearizable(evidence),
    ...notDurable(evidence),
    ...attemptsShared(evidence),
    ...expiredEarly(evidence),
    ...updatesMissed(evidence),
    ...wronglyReplaced(evidence.recording),
    ...claimedTooEarly(evidence.recording.updates),
    ...outOfLine(evidence.entries),
  ];
}

/** Operations by task, with the claims of those `next` requests whose answers were lost. */
function operationsByTask({ recording }: Evidence): Map<string, Operation<TaskOperation>[]> {
  const lost = recording.nexts.filter(({ told }) => told === "lost");
  const won = lost.flatMap(({ requestId, sessionId, instance, ttlSeconds, invokedAt }) => {
    const asked = { kind: "claim", sessionId, instance, ttlSeconds } as const;
    const op = { asked, told: { kind: "unknown" } } as const;
    // Asked twice, it may have won one task after the other.
    return recording.updates
      .filter(({ type, task }) => type === "task_claimed" && task.claim_request === requestId)
      .map(({ task_id: taskId }) => ({ taskId, op, invokedAt, returnedAt: Infinity }));
  });
  return groupBy([...recording.operations, ...won], ({ taskId }) => taskId);
}

function groupBy<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const group = groups.get(keyOf(one));
    if (group === undefined) groups.set(keyOf(one), [one]);
    else group.push(one);
  }
  return groups;
}

function notLinearizable(evidence: Evidence): Problem[] {
  const updates = groupBy(evidence.recording.updates, ({ task_id }) => task_id);
  return [...operationsByTask(evidence)].flatMap(([taskId, operations]) => {
    const { isLinearizable, isDecided, stuckAt } = explain(operations, updates.get(taskId) ?? []);
    if (isLinearizable) return [];
    if (!isDecided) {
      return [{ guarantee: "undecided", taskId, what: "has too many orders to try them all" }];
    }
    const stuck = stuckAt.map(({ op }) => JSON.stringify(op)).join(" or ");
    return [{ guarantee: "linearizable", taskId, what: `cannot be explained: ${stuck}` }];
  });
}

/** Every write that was acknowledged has been seen by the subscriber, whatever has died since. */
function notDurable({ recording }: Evidence): Problem[] {
  const written = new Set(
    recording.updates.map(({ task_id, type, task }) =>
      [task_id, type, task.attempt, task.last_event?.session_id].join(" "),
    ),
  );
  return recording.operations.flatMap((operation) => {
    const { taskId, client, op } = operation;
    const type = eventOf(operation);
    if (type === null || op.told.kind !== "ok") return [];
    const attempt = op.told.seen?.attempt ?? 0;
    const by = op.asked.kind === "create" ? null : client;
    if (written.has([taskId, type, attempt, by].join(" "))) return [];
    const what = `${client} was told of ${type} (attempt ${attempt}), which nobody has seen`;
    return [{ guarantee: "durable", taskId, what }];
  });
}

function eventOf({ op: { asked } }: RecordedOperation): string | null {
  if (asked.kind === "create") return "task_created";
  if (asked.kind === "claim") return "task_claimed";
  return asked.kind === "release" && asked.status === "complete" ? "task_completed" : null;
}

/** Attempts grow by one with each claim, the fencing token to the revision that the claim replaced. */
function attemptsShared({ recording: { updates } }: Evidence): Problem[] {
  const last = new Map<string, { attempt: number; token: number; revision: number }>();
  const problems: Problem[] = [];
  for (const { task_id: taskId, type, task, revision } of updates) {
    const before = last.get(taskId) ?? { attempt: 0, token: 0, revision: 0 };
    const isClaim = type === "task_claimed";
    const { attempt, fencing_token: token = 0 } = task;
    const expected = isClaim
      ? { attempt: before.attempt + 1, token: before.revision }
      : { attempt: before.attempt, token: before.token };
    for (const [name, found, due] of [
      ["attempt", attempt, expected.attempt],
      ["fencing token", token, expected.token],
    ] as const) {
      if (found === due) continue;
      const what = `revision ${revision} has ${name} ${found} where ${due} is due`;
      problems.push({ guarantee: "fencing", taskId, what });
    }
    last.set(taskId, { attempt, token, revision });
  }
  return problems;
}

/** Timers of different processes are not exact. */
const TOLERANCE_MS = 100;

/** A lease lasts for its TTL at least, from the claim or the last renewal that was acknowledged. */
function expiredEarly({ recording: { operations, updates } }: Evidence): Problem[] {
  const ttls = new Map<string, number>();
  const asked = new Map<string, number>();
  const note = (lease: string, at: number): void => {
    asked.set(lease, Math.max(at, asked.get(lease) ?? 0));
  };
  const grantedBefore = new Map(
    updates
      .filter(({ type }) => type === "task_claimed")
      .map(({ task_id, task, toldAt }) => [`${task_id} ${task.attempt}`, toldAt]),
  );
  for (const { taskId, invokedAt, op } of operations) {
    if (op.told.kind !== "ok") continue;
    if (op.asked.kind === "claim" && op.told.seen !== null) {
      const lease = `${taskId} ${op.told.seen.attempt}`;
      // A repeated claim does not renew the lease, also if the first one was not answered.
      if (ttls.has(lease) || (grantedBefore.get(lease) ?? Infinity) < invokedAt) continue;
      ttls.set(lease, op.asked.ttlSeconds);
      note(lease, invokedAt);
    } else if (op.asked.kind === "renew") note(`${taskId} ${op.asked.attempt}`, invokedAt);
  }
  return updates.flatMap(({ task_id: taskId, type, task, toldAt }) => {
    const lease = `${taskId} ${task.attempt}`;
    const [ttl, from] = [ttls.get(lease), asked.get(lease)];
    if (type !== "task_expired" || ttl === undefined || from === undefined) return [];
    const lastedMs = Math.round(toldAt - from);
    if (lastedMs >= ttl * 1000 - TOLERANCE_MS) return [];
    const what = `the lease of attempt ${task.attempt} ended after ${lastedMs} ms of ${ttl} s`;
    return [{ guarantee: "lease", taskId, what }];
  });
}

function updatesMissed({ entries, recording: { updates } }: Evidence): Problem[] {
  const told = new Set(updates.map(({ revision }) => revision));
  const missed = entries
    .filter(({ revision, task }) => task !== null && !told.has(revision))
    .map(({ taskId, revision }) => ({
      guarantee: "updates",
      taskId,
      what: `revision ${revision} was not told`,
    }));
  const unordered = updates
    .filter(({ revision }, i) => revision <= (updates[i - 1]?.revision ?? 0))
    .map(({ task_id: taskId, revision }) => ({
      guarantee: "updates",
      taskId,
      what: `revision ${revision} was told twice or out of order`,
    }));
  const gaps = updates
    .filter(({ transitions_missing }) => transitions_missing)
    .map(({ task_id: taskId, revision }) => ({
      guarantee: "updates",
      taskId,
      what: `transitions before revision ${revision} are missing`,
    }));
  return [...missed, ...unordered, ...gaps];
}
