/** Turns refusals of the domain into errors that say what happened and what the client can do. */
import { CoordinatorError } from "../protocol/errors.ts";
import { iso } from "../protocol/instants.ts";
import { encodeTask } from "../protocol/task-record.ts";
import type { Refusal } from "../task/commands.ts";
import type { Task } from "../task/task.ts";

/** What keeps a task blocked, for its refusal. */
export interface Blockers {
  /** The incomplete dependencies. */
  readonly unmet: readonly string[];
  /** The failed and cancelled tasks that keep these from completing, or some of them. */
  readonly deadEnds: readonly string[];
}

export function refusalError(
  task: Task,
  refusal: Refusal,
  blockers: Blockers = { unmet: [], deadEnds: [] },
): CoordinatorError {
  const { message, details } = describe(task, refusal, blockers);
  return new CoordinatorError(refusal.code, message, { details, task: encodeTask(task) });
}

function describe(
  task: Task,
  refusal: Refusal,
  { unmet, deadEnds }: Blockers,
): { message: string; details: Record<string, unknown> } {
  const id = task.taskId;
  switch (refusal.code) {
    case "already_claimed":
      return {
        message:
          refusal.isOtherInstance === true
            ? `task ${id} is claimed by ${heldByOther(refusal.claimedBy)}`
            : `task ${id} is claimed by ${refusal.claimedBy}: wait for its release, or ask for another with tasks.next`,
        details: { claimed_by: refusal.claimedBy },
      };
    case "not_available": {
      const { reason, notBefore } = refusal;
      if (notBefore !== undefined) {
        return {
          message: `task ${id} is not due before ${iso(notBefore)}: wait until then, or ask for another with tasks.next`,
          details: { reason, not_before: iso(notBefore) },
        };
      }
      if (reason === "blocked") {
        const cure =
          deadEnds.length === 0
            ? `it becomes available when ${unmet.length === 1 ? "that task is" : "they are"} complete`
            : `${deadEnds.join(", ")} failed or were cancelled, so it stays blocked until they are requeued and complete, or until the tasks that depend on them are updated`;
        return {
          message: `task ${id} is blocked by ${unmet.join(", ")}: ${cure}`,
          details: {
            reason,
            waits_for: unmet,
            ...(deadEnds.length === 0 ? {} : { dead_ends: deadEnds }),
          },
        };
      }
      return {
        message: `task ${id} is ${reason}: only tasks.requeue.${id} brings it back`,
        details: { reason },
      };
    }
    case "missing_capabilities":
      return {
        message: `task ${id} requires ${refusal.missing.join(", ")}: register the session with these capabilities, or name them in the request`,
        details: { missing: refusal.missing },
      };
    case "not_holder":
      return {
        message:
          refusal.claimedBy === null
            ? `task ${id} is ${task.status} and nobody holds it: claim it first`
            : refusal.isOtherInstance === true
              ? `task ${id} is held by ${heldByOther(refusal.claimedBy)}`
              : `task ${id} is held by ${refusal.claimedBy}, not by this session: only its holder can do this`,
        details: { claimed_by: refusal.claimedBy },
      };
    case "lease_lost":
      return {
        message: `this claim of task ${id} has ended (its attempt is now ${refusal.attempt}, its status ${task.status}): stop working on it`,
        details: { attempt: refusal.attempt, claimed_by: task.claimedBy },
      };
  }
}

function heldByOther(sessionId: string): string {
  return `${sessionId}, but by another instance of this session: give each process a session id of its own`;
}

export function sessionReplaced(sessionId: string): CoordinatorError {
  return new CoordinatorError(
    "session_replaced",
    `session ${sessionId} was registered by another instance and now belongs to it: stop working, ` +
      "and give each process a session id of its own",
  );
}

export function notFound(kind: "task" | "session", id: string): CoordinatorError {
  const cure =
    kind === "task"
      ? `create it with tasks.create.${id}`
      : `register it with sessions.register.${id}`;
  return new CoordinatorError("not_found", `there is no ${kind} ${id}: ${cure}`);
}

export function corruptRecord(taskId: string, problem: string): CoordinatorError {
  return new CoordinatorError(
    "corrupt_record",
    `the entry ${taskId} in the bucket tasks cannot be read as a task: ${problem}. Correct it with ` +
      `"nats kv put tasks ${taskId} ..." or remove it with "nats kv del tasks ${taskId}"`,
  );
}

export function recordTooLarge(taskId: string, size: number, limit: number): CoordinatorError {
  return new CoordinatorError(
    "too_large",
    `the record of task ${taskId} would have ${size} bytes, over the limit of ${limit}: ` +
      "keep large content elsewhere and put a link into payload, metadata or result",
    { details: { size, limit } },
  );
}

/** `problem`: what is wrong with the bucket, and the cure. */
export function bucketUnusable(problem: string): CoordinatorError {
  return new CoordinatorError(
    "bucket_unusable",
    `${problem}. Until an operator has done that, asking again does not help`,
  );
}

/** Refuses dependencies that form a cycle. `cycle`: its path; `null`: the client may not see all of it. */
export function cycleError(cycle: readonly string[] | null): CoordinatorError {
  const path = cycle === null ? "through tasks of others" : cycle.join(" -> ");
  return new CoordinatorError(
    "invalid_request",
    `depends_on: the dependencies form a cycle, ${path}: remove one of them`,
    { details: { field: "depends_on", ...(cycle !== null && { cycle }) } },
  );
}

/** The search for a cycle was given up. */
export function tooManyConnected(taskId: string): CoordinatorError {
  return new CoordinatorError(
    "invalid_request",
    `depends_on: too many tasks lead to ${taskId} and follow from its dependencies to look for a cycle: ` +
      "let it depend on fewer tasks, or on one task that depends on them",
    { details: { field: "depends_on" } },
  );
}

/**
 * Refuses what would exceed a limit of what a principal or session may own, hold or park.
 *
 * @param limit the setting
 * @param problem what has reached it, with the cure after a colon
 */
export function limitReached(
  limit: `limits.${string}`,
  value: number,
  problem: string,
): CoordinatorError {
  return new CoordinatorError("limit_reached", `${problem} (${limit} is ${value})`, {
    details: { limit, value },
  });
}
