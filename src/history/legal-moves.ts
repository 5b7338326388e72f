/**
 * Whether the rules of `src/task` allow a step from one record of a task to the next: one of the commands that
 * its event can stand for must lead there.
 *
 * The check leaves out what the records do not show: the capabilities of sessions, the delays after failures,
 * and which dependencies were incomplete.
 */
import type { Command, Decision } from "../task/commands.ts";
import type { EventType, Task, TaskEvent } from "../task/task.ts";
import { transition } from "../task/transition.ts";

/** What is wrong with the step, in words. `null`: nothing. `undefined`: nobody knows such an event here. */
export function illegalIn(
  before: Task,
  after: Task,
  event: TaskEvent,
  revisionBefore: number,
): string | null | undefined {
  if (!isKnownType(event.type)) return undefined;
  if (event.type === "task_created") return "creates a task that exists";
  const context = {
    now: event.timestamp,
    revision: revisionBefore,
    retryPolicy: { baseMs: 0, maxMs: 0 },
  };
  const decisions = COMMANDS[event.type](before, after).map((command) => {
    return transition(before, command, context);
  });
  const moves = decisions.filter((decision) => decision.kind === "write");
  if (moves.some(({ task }) => task.lastEvent?.type === event.type && same(task, after))) {
    return null;
  }
  const move = moves.find(({ task }) => task.lastEvent?.type === event.type);
  if (move === undefined) return refusalOf(before, event.type, decisions);
  return `${event.type} makes it ${described(after)}, not ${described(move.task)}`;
}

type Commands = (before: Task, after: Task) => readonly Command[];

const UNMET = ["a dependency"];

function unmetIn(after: Task): readonly string[] {
  return after.status === "blocked" ? UNMET : [];
}

const settle: Commands = (_, after) => [{ type: "settle_dependencies", unmet: unmetIn(after) }];

const expire: Commands = ({ attempt, leaseEpoch: epoch }) => [{ type: "expire", attempt, epoch }];

const replace: Commands = ({ attempt }) => [{ type: "replace_session", attempt }];

const give: Commands = ({ claimedBy }, { notBefore }) => [
  { ...releaseBy(claimedBy), outcome: "available", notBefore },
];

const complete: Commands = ({ claimedBy }) => [{ ...releaseBy(claimedBy), outcome: "complete" }];

const fail: Commands = ({ claimedBy }) =>
  [true, false].map((retry) => ({ ...releaseBy(claimedBy), outcome: "failed", retry }));

const cancel: Commands = () =>
  [true, false].map((force) => ({ type: "cancel", sessionId: null, force, reason: null }));

/** Which session sent the request is the matter of another rule. So the holder sends it here. */
function releaseBy(claimedBy: string | null) {
  return {
    type: "release" as const,
    sessionId: claimedBy ?? "",
    attempt: null,
    instance: null,
    result: null,
    error: null,
    retry: true,
  };
}

const COMMANDS: Record<Exclude<EventType, "task_created">, Commands> = {
  task_updated: (before, after) => {
    const isSettled = before.status !== after.status || !sameIds(before, after);
    const changes = {
      ...(isSettled ? { dependsOn: after.dependsOn } : {}),
      ...(before.notBefore === after.notBefore ? {} : { notBefore: after.notBefore }),
    };
    return [{ type: "update", sessionId: null, changes, unmet: unmetIn(after) }];
  },
  task_blocked: settle,
  task_unblocked: settle,
  task_claimed: (before, after) => [
    {
      type: "claim",
      sessionId: after.claimedBy ?? "",
      ttlSeconds: after.ttlSeconds ?? 1,
      capabilities: before.requires,
      claimRequest: after.claimRequest,
      instance: after.claimInstance,
    },
  ],
  task_renewed: ({ claimedBy, attempt, leaseEpoch: epoch }, { ttlSeconds }) => [
    {
      type: "revive",
      sessionId: claimedBy ?? "",
      attempt,
      epoch,
      ttlSeconds: ttlSeconds ?? 1,
    },
  ],
  task_released: (before, after) => [...give(before, after), ...replace(before, after)],
  task_completed: complete,
  task_attempt_failed: fail,
  task_failed: (before, after) => [...fail(before, after), ...expire(before, after)],
  task_expired: expire,
  task_cancel_requested: cancel,
  task_cancelled: (before, after) =>
    [cancel, give, fail, expire, replace].flatMap((commands) => commands(before, after)),
  task_requeued: (_, after) => [
    { type: "requeue", sessionId: null, reason: null, unmet: unmetIn(after) },
  ],
};

function isKnownType(type: string): type is EventType {
  return type === "task_created" || Object.hasOwn(COMMANDS, type);
}

/** What decides over later steps. Versions count failures and lost leases differently, so only their sum counts. */
function same(expected: Task, after: Task): boolean {
  return (
    expected.status === after.status &&
    expected.claimedBy === after.claimedBy &&
    expected.leaseEpoch === after.leaseEpoch &&
    expected.cancelRequested === after.cancelRequested &&
    lost(expected) === lost(after) &&
    sameIds(expected, after)
  );
}

function lost({ failures, lostLeases }: Task): number {
  return failures + lostLeases;
}

function sameIds({ dependsOn: a }: Task, { dependsOn: b }: Task): boolean {
  return a === b || (a.length === b.length && a.every((id, i) => id === b[i]));
}

function described(task: Task): string {
  const { status, claimedBy, leaseEpoch, cancelRequested, dependsOn } = task;
  const parts = [
    claimedBy === null ? status : `${status} by ${claimedBy}`,
    `with ${lost(task)} failures or lost leases`,
    ...(leaseEpoch === 0 ? [] : [`lease epoch ${leaseEpoch}`]),
    ...(cancelRequested ? ["asked to stop"] : []),
    ...(dependsOn.length === 0 ? [] : [`${dependsOn.length} dependencies`]),
  ];
  return parts.join(", ");
}

function refusalOf(before: Task, type: EventType, decisions: readonly Decision[]): string {
  const [refused] = decisions.filter((decision) => decision.kind === "refused");
  if (refused?.refusal.code === "not_available" && refused.refusal.reason === "not_due") {
    const due = new Date(refused.refusal.notBefore ?? 0).toISOString();
    return `${type} before the task is due at ${due}`;
  }
  return `${type} is not allowed while the task is ${before.status}`;
}
