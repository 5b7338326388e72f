/** What holds for a task after any commands, in any order, by any session. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  DEFINITION_DEFAULTS,
  isFinished,
  type Task,
  type TaskDefinition,
} from "../../src/task/task.ts";
import { transition } from "../../src/task/transition.ts";
import { holds, MAX_FAILURES, MAX_LOST_LEASES, run } from "./random-commands.ts";

const UNFINISHED: readonly string[] = ["blocked", "available", "claimed"];

describe("after any sequence of commands", () => {
  holds("only a claim raises the attempt, by one", ({ before, command }, after) => {
    assert.equal(after.attempt, before.attempt + (command.type === "claim" ? 1 : 0));
  });

  holds("the fencing token is the revision that the last claim replaced", (taken, after) => {
    const { before, command, context } = taken;
    const expected = command.type === "claim" ? context.revision : before.fencingToken;
    assert.equal(after.fencingToken, expected);
    if (command.type === "claim") assert.ok(after.fencingToken > before.fencingToken);
  });

  holds("only a requeue ends a finished status", ({ before, command }) => {
    if (isFinished(before.status)) assert.equal(command.type, "requeue");
  });

  holds(
    "a task has a holder, a lease length and a claim time exactly while it is claimed",
    (_, after) => {
      const claimed = after.status === "claimed";
      assert.equal(after.claimedBy !== null, claimed);
      assert.equal(after.claimedAt !== null, claimed);
      assert.equal(after.ttlSeconds !== null, claimed);
      if (!claimed) {
        assert.equal(after.claimRequest, null);
        assert.equal(after.claimInstance, null);
        assert.equal(after.cancelRequested, false);
      }
    },
  );

  holds("the event describes the transition", ({ before, context: { now } }, after) => {
    assert.equal(after.lastEvent?.oldStatus, before.status);
    assert.equal(after.lastEvent.newStatus, after.status);
    assert.equal(after.lastEvent.claimedBy, after.claimedBy);
    assert.equal(after.lastEvent.timestamp, now);
    assert.equal(after.updatedAt, now);
  });

  holds(
    "it counts failures and lost leases apart, and is failed when either is used up",
    (taken, after) => {
      const { before, command } = taken;
      const failed = command.type === "release" && command.outcome === "failed";
      const lost = command.type === "expire";
      const isFresh = command.type === "requeue";
      assert.equal(after.failures, isFresh ? 0 : before.failures + (failed ? 1 : 0));
      assert.equal(after.lostLeases, isFresh ? 0 : before.lostLeases + (lost ? 1 : 0));
      if (UNFINISHED.includes(after.status)) {
        assert.ok(after.failures < MAX_FAILURES);
        assert.ok(after.lostLeases < MAX_LOST_LEASES);
      }
      if (after.status === "failed") assert.ok(failed || after.lostLeases === MAX_LOST_LEASES);
    },
  );

  holds(
    "a task names the session that completed it exactly while it is complete",
    ({ before }, after) => {
      const completed = after.status === "complete";
      assert.equal(after.completedBy, completed ? before.claimedBy : null);
      assert.equal(after.completedAt !== null, completed);
    },
  );

  holds(
    "a task is claimed only if it is available and due, by a session with its capabilities",
    (taken) => {
      const { before, command, context } = taken;
      if (command.type !== "claim") return;
      assert.equal(before.status, "available");
      assert.ok(before.notBefore === null || before.notBefore <= context.now);
      assert.deepEqual(command.capabilities, ["git"]);
    },
  );

  holds("only the holder releases a task, under the current attempt", ({ before, command }) => {
    if (command.type !== "release") return;
    assert.equal(before.status, "claimed");
    assert.equal(before.claimedBy, command.sessionId);
    assert.ok(command.attempt === null || command.attempt === before.attempt);
    const { claimInstance: claimed } = before;
    assert.ok([command.instance, claimed].includes(null) || command.instance === claimed);
  });

  holds(
    "only the end of the current attempt's lease makes a claim expire",
    ({ before, command }) => {
      if (command.type !== "expire") return;
      assert.deepEqual([before.status, before.attempt], ["claimed", command.attempt]);
    },
  );

  holds(
    "its definition is changed by update only, its dependencies never while claimed",
    (taken) => {
      const { before, command, decision } = taken;
      assert.ok(decision.kind === "write");
      if (command.type !== "update") {
        assert.deepEqual(definitionOf(decision.task), definitionOf(before));
      } else if (before.status === "claimed") {
        assert.equal(decision.task.dependsOn, before.dependsOn);
      }
    },
  );

  it("no attempt ever has two holders", () => {
    fc.assert(
      fc.property(run, (steps) => {
        const holders = new Map<number, string | null>();
        for (const { decision } of steps) {
          if (decision.kind !== "write" || decision.task.status !== "claimed") continue;
          const { attempt, claimedBy } = decision.task;
          assert.equal(holders.get(attempt) ?? claimedBy, claimedBy);
          holders.set(attempt, claimedBy);
        }
      }),
    );
  });

  it("a repeated command changes nothing", () => {
    fc.assert(
      fc.property(run, (steps) => {
        for (const { command, decision, context } of steps) {
          // An update names no state that it wants, so it is written each time.
          if (decision.kind !== "write" || command.type === "update") continue;
          const again = transition(decision.task, command, context);
          const blocked = {
            kind: "refused",
            refusal: { code: "not_available", reason: "blocked" },
          };
          const requeuedAsBlocked = command.type === "requeue" && command.unmet.length > 0;
          assert.deepEqual(again, requeuedAsBlocked ? blocked : { kind: "unchanged" });
        }
      }),
    );
  });

  it("the same command to the same task gets the same decision", () => {
    fc.assert(
      fc.property(run, (steps) => {
        for (const { before, command, decision, context } of steps) {
          assert.deepEqual(transition(before, command, context), decision);
        }
      }),
    );
  });

  it("every status is reached, so the other tests cover all of them", () => {
    const reached = new Set(
      fc
        .sample(run, { numRuns: 1_000, seed: 1 })
        .flatMap((steps) => steps.map(({ before }) => before.status)),
    );
    assert.equal(reached.size, 6, [...reached].join(", "));
  });
});

function definitionOf(task: Task): Partial<TaskDefinition> {
  const names = Object.keys(DEFINITION_DEFAULTS) as (keyof TaskDefinition)[];
  return Object.fromEntries(names.map((name) => [name, task[name]]));
}
