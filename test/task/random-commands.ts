/** Random sequences of commands to a task, for tests of what always holds. */
import { it } from "node:test";
import fc from "fast-check";
import type { Command, Decision } from "../../src/task/commands.ts";
import { createTask, DEFINITION_DEFAULTS, type Task } from "../../src/task/task.ts";
import { transition, type TransitionContext } from "../../src/task/transition.ts";
import { NOW } from "./sample-task.ts";

const RETRY_POLICY = { baseMs: 1_000, maxMs: 8_000 };
export const MAX_FAILURES = 3;
export const MAX_LOST_LEASES = 4;

const session = fc.constantFrom("alice", "bob", "carol");
const unmet = fc.constantFrom<readonly string[]>([], [], ["a"]);
/** Processes of a session; `null` names none. */
const instance = fc.constantFrom(null, null, "i1", "i2");
/** Relative to the task's attempt, so that current, late and invented attempts are all common. */
const attemptOffset = fc.constantFrom(0, 0, 0, -1, 1);
/** The same for the epoch of its lease. */
const epochOffset = fc.constantFrom(0, 0, 0, -1, 1);
const attemptOrNone = fc.option(attemptOffset, { nil: null });

/** Makes a command for the task as it is. */
const step: fc.Arbitrary<(task: Task) => Command> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(session, unmet, instance).map(claimOf) },
  {
    weight: 4,
    arbitrary: fc
      .record({
        sessionId: session,
        outcome: fc.constantFrom("available", "complete", "failed", "failed"),
        attempt: attemptOrNone,
        instance,
        retry: fc.constantFrom(true, true, true, false),
        notBefore: fc.constantFrom(null, NOW + 5_000),
      })
      .map((given) => (task: Task): Command => {
        const attempt = given.attempt === null ? null : task.attempt + given.attempt;
        return { type: "release", ...given, attempt, result: "done", error: "went wrong" };
      }),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(attemptOffset, epochOffset).map(([offset, ofEpoch]) => {
      return ({ attempt, leaseEpoch }: Task): Command => {
        return { type: "expire", attempt: attempt + offset, epoch: leaseEpoch + ofEpoch };
      };
    }),
  },
  {
    weight: 1,
    arbitrary: attemptOffset.map((offset) => ({ attempt }: Task): Command => {
      return { type: "replace_session", attempt: attempt + offset };
    }),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(session, attemptOffset, epochOffset).map(([name, offset, ofEpoch]) => {
      return ({ claimedBy, attempt, leaseEpoch }: Task): Command => {
        const sessionId = offset === 0 ? (claimedBy ?? name) : name;
        const of = { attempt: attempt + offset, epoch: leaseEpoch + ofEpoch };
        return { type: "revive", sessionId, ...of, ttlSeconds: 60 };
      };
    }),
  },
  {
    weight: 2,
    arbitrary: unmet.map((ids) => (): Command => ({ type: "settle_dependencies", unmet: ids })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(session, unmet, fc.boolean()).map(([sessionId, ids, withIds]) => {
      const what = withIds
        ? { dependsOn: ids }
        : { notBefore: ids.length > 0 ? NOW + 5_000 : null };
      const changes = { title: "New", ...what };
      return (): Command => ({ type: "update", sessionId, changes, unmet: ids });
    }),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(session, fc.boolean()).map(([sessionId, force]) => {
      return (): Command => ({ type: "cancel", sessionId, force, reason: null });
    }),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(session, unmet).map(([sessionId, ids]) => {
      return (): Command => ({ type: "requeue", sessionId, reason: null, unmet: ids });
    }),
  },
);

export interface Taken {
  readonly before: Task;
  readonly command: Command;
  readonly decision: Decision;
  readonly context: TransitionContext;
}

/** Random steps from a new task, with the time that passes before each. */
export const run: fc.Arbitrary<Taken[]> = fc
  .array(fc.tuple(step, fc.constantFrom(0, 1, 500, 10_000)), { minLength: 1, maxLength: 60 })
  .map((steps) => {
    let now = NOW;
    let revision = 1;
    let task = frozen(
      createTask(
        "P0.5.1",
        {
          ...DEFINITION_DEFAULTS,
          requires: ["git"],
          maxFailures: MAX_FAILURES,
          maxLostLeases: MAX_LOST_LEASES,
        },
        { blocked: false, sessionId: null, now },
      ),
    );
    return steps.map(([commandFor, wait]) => {
      now += wait;
      const before = task;
      const command = commandFor(before);
      const context = { now, revision, retryPolicy: RETRY_POLICY };
      const decision = transition(before, command, context);
      if (decision.kind === "write") {
        task = frozen(decision.task);
        revision++;
      }
      return { before, command, decision, context };
    });
  });

/** Checks every write of random runs; each task is frozen, so nothing but a write can change it. */
export function holds(what: string, check: (taken: Taken, after: Task) => void): void {
  it(what, () => {
    fc.assert(
      fc.property(run, (steps) => {
        for (const taken of steps) {
          if (taken.decision.kind === "write") check(taken, taken.decision.task);
        }
      }),
      { numRuns: 200 },
    );
  });
}

/** A claim by a session that sometimes lacks the capability. */
function claimOf([sessionId, missing, as]: readonly [
  string,
  readonly string[],
  string | null,
]): () => Command {
  const capabilities = missing.length > 0 ? [] : ["git"];
  const claim = { sessionId, capabilities, ttlSeconds: 60, claimRequest: "r", instance: as };
  return () => ({ type: "claim", ...claim });
}

function frozen(task: Task): Task {
  Object.freeze(task.lastEvent);
  return Object.freeze(task);
}
