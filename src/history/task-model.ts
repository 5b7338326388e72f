/**
 * The sequential specification of a task for the checker. It uses `transition`, the function of the domain.
 *
 * In addition to the record, the state has the lease, which may end at any time while the task is
 * claimed. After that, the attempt ends when a worker writes so into the record. A renewal before that write
 * starts the lease again: no renewal is refused while the record shows the claim. Times are not part of the
 * specification: a delay after a failure may end at any moment. Neither are other tasks: a task with
 * dependencies may become blocked or available at any time while nobody holds it.
 */
import type { Command, Decision } from "../task/commands.ts";
import { holderRefusal } from "../task/holder.ts";
import { createTask, DEFINITION_DEFAULTS, type Task } from "../task/task.ts";
import { transition } from "../task/transition.ts";
import type { Model } from "./linearizability.ts";
import type { Asked, Seen, TaskOperation, Told } from "./recorded-operation.ts";

export interface TaskState {
  /** `null` if there is no such task. */
  readonly task: Task | null;
  readonly hasLeaseEnded: boolean;
}

const CONTEXT = { now: 0, revision: 1, retryPolicy: { baseMs: 1, maxMs: 1 } };

export const taskModel: Model<TaskState, TaskOperation> = {
  initial: { task: null, hasLeaseEnded: false },

  step: (state, { asked, told }) => {
    if (told.kind === "refused" && CHANGES_NOTHING.has(told.code)) return [state];
    const outcomes = variants(state).flatMap((variant) => carryOut(variant, asked));
    return outcomes.filter(({ result }) => explains(result, told)).map(({ after }) => after);
  },

  changes: ({ task, hasLeaseEnded }) => {
    if (task === null) return [];
    if (task.status !== "claimed") {
      return afterDependencies(task).map((next) => ({ task: next, hasLeaseEnded: false }));
    }
    const { attempt, leaseEpoch: epoch, claimInstance } = task;
    const ends: Command[] = [];
    if (hasLeaseEnded) ends.push({ type: "expire", attempt, epoch });
    // Another process may register at any moment. `replaced-sessions.ts` checks when one did.
    if (claimInstance !== null) ends.push({ type: "replace_session", attempt });
    const ended = ends.flatMap((command) => {
      const decision = transition(task, command, CONTEXT);
      return decision.kind === "write" ? [{ task: decision.task, hasLeaseEnded: false }] : [];
    });
    return hasLeaseEnded ? ended : [{ task, hasLeaseEnded: true }, ...ended];
  },

  key: ({ task, hasLeaseEnded }) => {
    if (task === null) return "none";
    const { status, claimedBy, attempt, cancelRequested, notBefore, lastEvent } = task;
    return JSON.stringify([
      ...[status, claimedBy, task.claimInstance, attempt, task.failures, task.lostLeases],
      ...[cancelRequested, notBefore === null, hasLeaseEnded],
      ...[lastEvent?.type, lastEvent?.sessionId, lastEvent?.reason],
    ]);
  },
};

/** Refusals because of the worker or the session. They say nothing about the task. */
const CHANGES_NOTHING: ReadonlySet<string> = new Set([
  ...["conflict", "limit_reached", "overloaded", "session_replaced"],
]);

/** A task during its delay, and the same task after it. */
function variants(state: TaskState): TaskState[] {
  const { task } = state;
  if (typeof task?.notBefore !== "number") return [state];
  return [
    { ...state, task: { ...task, notBefore: Infinity } },
    { ...state, task: { ...task, notBefore: null } },
  ];
}

type Result =
  | { readonly kind: "ok"; readonly seen: Seen | null }
  | { readonly kind: "refused"; readonly code: string; readonly reason: string | null };

interface Outcome {
  readonly after: TaskState;
  readonly result: Result;
}

function carryOut(state: TaskState, asked: Asked): Outcome[] {
  const { task, hasLeaseEnded } = state;
  const refused = (code: string, reason: string | null = null): Outcome[] => [
    { after: state, result: { kind: "refused", code, reason } },
  ];
  if (asked.kind === "create") {
    if (task !== null) return refused("already_exists");
    const { maxFailures, maxLostLeases, dependsOn } = asked;
    const definition = { ...DEFINITION_DEFAULTS, maxFailures, maxLostLeases, dependsOn };
    return dependenciesOf(asked).map((unmet) => {
      const blocked = unmet.length > 0;
      const created = createTask("task", definition, { blocked, sessionId: null, now: 0 });
      return { after: { task: created, hasLeaseEnded: false }, result: seen(created) };
    });
  }
  if (task === null) return refused("not_found");
  if (asked.kind === "get") return [{ after: state, result: seen(task) }];
  if (asked.kind === "renew" && !hasLeaseEnded) {
    const refusal = holderRefusal(task, asked.sessionId, asked.attempt, asked.instance);
    if (refusal !== null) return refused(refusal.refusal.code);
    return [{ after: state, result: { kind: "ok", seen: null } }];
  }
  return commandsOf(asked, task).flatMap((command): Outcome[] => {
    const decision: Decision = transition(task, command, CONTEXT);
    if (decision.kind === "refused") {
      const { refusal } = decision;
      return refused(refusal.code, "reason" in refusal ? refusal.reason : null);
    }
    if (decision.kind === "unchanged") return [{ after: state, result: seen(task) }];
    const { status, attempt, leaseEpoch } = decision.task;
    const isSameLease = attempt === task.attempt && leaseEpoch === task.leaseEpoch;
    const isKept = status === "claimed" && isSameLease;
    const after = { task: decision.task, hasLeaseEnded: isKept && hasLeaseEnded };
    return [{ after, result: seen(decision.task) }];
  });
}

/** The dependencies that may be incomplete at a moment: none, or all of them. */
function dependenciesOf({ dependsOn }: Pick<Task, "dependsOn">): (readonly string[])[] {
  return dependsOn.length === 0 ? [[]] : [[], dependsOn];
}

/** The task after a dependency was completed or requeued. */
function afterDependencies(task: Task): Task[] {
  return dependenciesOf(task).flatMap((unmet) => {
    const decision = transition(task, { type: "settle_dependencies", unmet }, CONTEXT);
    return decision.kind === "write" ? [decision.task] : [];
  });
}

function commandsOf(asked: Exclude<Asked, { kind: "create" | "get" }>, task: Task): Command[] {
  switch (asked.kind) {
    case "claim": {
      const { sessionId } = asked;
      const claim = {
        ttlSeconds: 1,
        capabilities: [],
        claimRequest: null,
        instance: asked.instance ?? null,
      };
      return [{ type: "claim", sessionId, ...claim }];
    }
    case "renew": {
      const { sessionId, attempt } = asked;
      return [{ type: "revive", sessionId, attempt, epoch: task.leaseEpoch, ttlSeconds: 1 }];
    }
    case "release": {
      const { sessionId, attempt, status: outcome } = asked;
      const content = { instance: asked.instance ?? null, result: null, error: null, retry: true };
      const notBefore = asked.isDelayed ? 1 : null;
      return [{ type: "release", sessionId, attempt, outcome, notBefore, ...content }];
    }
    case "cancel":
      return [{ type: "cancel", sessionId: null, force: asked.force, reason: null }];
    case "requeue":
      return dependenciesOf(task).map((unmet) => {
        return { type: "requeue", sessionId: null, reason: null, unmet };
      });
  }
}

function seen({ status, claimedBy, attempt }: Task): Result {
  return { kind: "ok", seen: { status, claimedBy, attempt } };
}

function explains(result: Result, told: Told): boolean {
  if (told.kind === "unknown") return true;
  if (told.kind === "refused") {
    return (
      result.kind === "refused" &&
      result.code === told.code &&
      (told.reason === null || result.reason === told.reason)
    );
  }
  if (result.kind !== "ok") return false;
  if (told.seen === null || result.seen === null) return true;
  const { status, claimedBy, attempt } = result.seen;
  return (
    status === told.seen.status &&
    claimedBy === told.seen.claimedBy &&
    attempt === told.seen.attempt
  );
}
