/** Tasks and commands for the tests of the domain, with a value for each field that a test does not name. */
import assert from "node:assert/strict";
import type {
  CancelCommand,
  ClaimCommand,
  Command,
  ExpireCommand,
  Refusal,
  ReleaseCommand,
  ReplaceSessionCommand,
  RequeueCommand,
  ReviveCommand,
} from "../../src/task/commands.ts";
import type { FollowedTask } from "../../src/task/follow-up.ts";
import { createTask, DEFINITION_DEFAULTS, isFinished, type Task } from "../../src/task/task.ts";
import { transition, type TransitionContext } from "../../src/task/transition.ts";

export const NOW = Date.UTC(2025, 10, 12, 17, 30);
export const CONTEXT: TransitionContext = {
  now: NOW,
  revision: 7,
  retryPolicy: { baseMs: 1_000, maxMs: 60_000 },
};

/** An available task that was created a second ago. */
export function availableTask(overrides: Partial<Task> = {}): Task {
  const created = createTask("P0.5.1", DEFINITION_DEFAULTS, {
    blocked: false,
    sessionId: null,
    now: NOW - 1_000,
  });
  return { ...created, ...overrides };
}

export function blockedTask(overrides: Partial<Task> = {}): Task {
  return availableTask({ status: "blocked", dependsOn: ["P0.1.5"], ...overrides });
}

/** Claimed by `alice` for the first time. */
export function claimedTask(overrides: Partial<Task> = {}): Task {
  return { ...written(availableTask(), claim("alice")), ...overrides };
}

export function claim(sessionId: string, overrides: Partial<ClaimCommand> = {}): ClaimCommand {
  return {
    type: "claim",
    sessionId,
    ttlSeconds: 300,
    capabilities: [],
    claimRequest: null,
    instance: null,
    ...overrides,
  };
}

export function release(
  sessionId: string,
  outcome: ReleaseCommand["outcome"],
  overrides: Partial<ReleaseCommand> = {},
): ReleaseCommand {
  return {
    type: "release",
    sessionId,
    outcome,
    attempt: null,
    instance: null,
    result: null,
    error: null,
    retry: true,
    ...overrides,
  };
}

/** The end of the first lease of `claimedTask`. */
export function expire(overrides: Partial<ExpireCommand> = {}): ExpireCommand {
  return { type: "expire", attempt: 1, epoch: 0, ...overrides };
}

/** Another process has taken over the session that made the claim of `claimedTask`. */
export function replaceSession(
  overrides: Partial<ReplaceSessionCommand> = {},
): ReplaceSessionCommand {
  return { type: "replace_session", attempt: 1, ...overrides };
}

/** A renewal of that lease after its end. */
export function revive(sessionId: string, overrides: Partial<ReviveCommand> = {}): ReviveCommand {
  return { type: "revive", sessionId, attempt: 1, epoch: 0, ttlSeconds: 300, ...overrides };
}

export function cancel(overrides: Partial<CancelCommand> = {}): CancelCommand {
  return { type: "cancel", sessionId: "operator", force: false, reason: null, ...overrides };
}

export function requeue(overrides: Partial<RequeueCommand> = {}): RequeueCommand {
  return { type: "requeue", sessionId: "operator", reason: null, unmet: [], ...overrides };
}

/** The task after the command. Fails the test if the command writes nothing. */
export function written(task: Task, command: Command, now = NOW): Task {
  const decision = transition(task, command, { ...CONTEXT, now });
  if (decision.kind === "write") return decision.task;
  return assert.fail(`${command.type} of a ${task.status} task: ${JSON.stringify(decision)}`);
}

export function assertUnchanged(task: Task, command: Command): void {
  assert.deepEqual(transition(task, command, CONTEXT), { kind: "unchanged" });
}

/** The task as an index has it. */
export function followed(task: Task | null): FollowedTask | null {
  if (task === null) return null;
  const { status, ttlSeconds, updatedAt } = task;
  return { status, ttlSeconds, finishedAt: isFinished(status) ? updatedAt : null };
}

export function assertRefused(task: Task, command: Command, refusal: Refusal): void {
  assert.deepEqual(transition(task, command, CONTEXT), { kind: "refused", refusal });
}

export function assertWithoutHolder(task: Task): void {
  const { claimedBy, claimedAt, ttlSeconds, claimRequest, claimInstance } = task;
  const { leaseEpoch, cancelRequested } = task;
  assert.deepEqual(
    { claimedBy, claimedAt, ttlSeconds, claimRequest, claimInstance, leaseEpoch, cancelRequested },
    {
      claimedBy: null,
      claimedAt: null,
      ttlSeconds: null,
      claimRequest: null,
      claimInstance: null,
      leaseEpoch: 0,
      cancelRequested: false,
    },
  );
}
