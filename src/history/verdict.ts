/** Whether a recorded run kept the promises of docs/guarantees.md. */
import type { RecordedEntry } from "../nats/read-history.ts";
import type { EventType } from "../task/task.ts";
import { entriesToldBy, type Finding, groupBy, historyOf, type Problem } from "./history.ts";
import { Judge } from "./judge.ts";
import type { Operation } from "./linearizability.ts";
import type { Recording, RecordedUpdate } from "./recording.ts";
import type { Asked, TaskOperation } from "./recorded-operation.ts";
import { wronglyReplaced } from "./replaced-sessions.ts";
import { type Deed, deedsRecorded, everyRevisionTold } from "./reports.ts";
import { AT_REST, judgeDependents } from "./state-rules.ts";
import { explain } from "./unanswered.ts";

export interface Evidence {
  readonly recording: Recording;
  /** The history in the bucket at the end, in the order of the revisions. */
  readonly entries: readonly RecordedEntry[];
}

export function judge(evidence: Evidence): Problem[] {
  const { recording, entries } = evidence;
  const { updates } = recording;
  const toldEntries = entriesToldBy(updates);
  const readable = entries.filter(({ task }) => task !== null);
  const findings = {
    durable: deedsRecorded(historyOf(toldEntries), acknowledged(recording)),
    lease: expiredEarly(recording),
    updates: [
      ...everyRevisionTold(readable, toldEntries, { isWhole: false }),
      ...transitionsMissing(updates),
    ],
    sessions: wronglyReplaced(recording),
  };
  return [
    ...notLinearizable(evidence),
    ...Object.entries(findings).flatMap(([guarantee, found]) =>
      found.map((finding) => ({ guarantee, ...finding })),
    ),
    // The subscriber has also received what the bucket no longer has.
    ...brokenIn(toldEntries),
    ...statesBrokenIn(entries),
  ];
}

function brokenIn(entries: readonly RecordedEntry[]): Problem[] {
  const judge = new Judge();
  for (const entry of entries) judge.take(entry);
  return problemsOf(judge);
}

/** The tasks whose status does not fit their dependencies at the end, when everything is at rest. */
export function statesBrokenIn(entries: readonly RecordedEntry[]): Problem[] {
  const judge = new Judge();
  for (const entry of entries) judge.take(entry);
  judgeDependents(judge, AT_REST);
  return problemsOf(judge).filter(({ guarantee }) => guarantee === "dependents_follow");
}

function problemsOf({ tally }: Judge): Problem[] {
  return tally.violations.map(({ rule, taskId, revision, what }) => {
    return { guarantee: rule, taskId, what: `revision ${revision}: ${what}` };
  });
}

/** Operations by task, including the claims of `next` requests whose answers were lost. */
function operationsByTask({ recording }: Evidence): Map<string, Operation<TaskOperation>[]> {
  const lost = recording.nexts.filter(({ told }) => told === "lost");
  const won = lost.flatMap(({ requestId, sessionId, instance, ttlSeconds, invokedAt }) => {
    const asked = { kind: "claim", sessionId, instance, ttlSeconds } as const;
    const op = { asked, told: { kind: "unknown" } } as const;
    // A repeated request may have claimed two tasks, one after the other.
    return recording.updates
      .filter(({ type, task }) => type === "task_claimed" && task.claim_request === requestId)
      .map(({ task_id: taskId }) => ({ taskId, op, invokedAt, returnedAt: Infinity }));
  });
  return groupBy([...recording.operations, ...won], ({ taskId }) => taskId);
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

/** The writes that were acknowledged. */
function acknowledged({ operations }: Recording): Deed[] {
  return operations.flatMap(({ taskId, client, op: { asked, told } }) => {
    const type = eventOf(asked);
    if (type === null || told.kind !== "ok") return [];
    const attempt = told.seen?.attempt ?? 0;
    const otherwise = `${client} got an answer to ${type} (attempt ${attempt}), which is in no update`;
    const sessionId = asked.kind === "create" ? null : client;
    return [{ taskId, sessionId, attempt, events: [type], otherwise }];
  });
}

function eventOf(asked: Asked): EventType | null {
  if (asked.kind === "create") return "task_created";
  if (asked.kind === "claim") return "task_claimed";
  return asked.kind === "release" && asked.status === "complete" ? "task_completed" : null;
}

/** For the timers of different processes. */
const TOLERANCE_MS = 100;

/** A lease lasts at least for its TTL, from the claim or from the last acknowledged renewal. */
function expiredEarly({ operations, updates }: Recording): Finding[] {
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
      // A repeated claim does not renew the lease, even if the first was not answered.
      if (ttls.has(lease) || (grantedBefore.get(lease) ?? Infinity) < invokedAt) continue;
      ttls.set(lease, op.asked.ttlSeconds);
      note(lease, invokedAt);
    } else if (op.asked.kind === "renew") {
      const { attempt, ttlSeconds } = op.asked;
      const lease = `${taskId} ${attempt}`;
      note(lease, invokedAt);
      // The operations stand in the order of their answers, so the last length is that of the lease.
      if (ttlSeconds !== undefined) ttls.set(lease, ttlSeconds);
    }
  }
  return updates.flatMap(({ task_id: taskId, type, task, toldAt }) => {
    const lease = `${taskId} ${task.attempt}`;
    const [ttl, from] = [ttls.get(lease), asked.get(lease)];
    if (type !== "task_expired" || ttl === undefined || from === undefined) return [];
    const lastedMs = Math.round(toldAt - from);
    if (lastedMs >= ttl * 1000 - TOLERANCE_MS) return [];
    const what = `the lease of attempt ${task.attempt} ended after ${lastedMs} ms of ${ttl} s`;
    return [{ taskId, what }];
  });
}

function transitionsMissing(updates: readonly RecordedUpdate[]): Finding[] {
  return updates
    .filter(({ transitions_missing }) => transitions_missing)
    .map(({ task_id: taskId, revision }) => {
      return { taskId, what: `transitions before revision ${revision} are missing` };
    });
}
