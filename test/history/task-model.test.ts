import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkLinearizability, type Operation } from "../../src/history/linearizability.ts";
import type { Asked, Seen, TaskOperation, Told } from "../../src/history/recorded-operation.ts";
import { taskModel } from "../../src/history/task-model.ts";
import type { ErrorCode } from "../../src/protocol/errors.ts";

/** Operations one after the other, unless `from` or `to` says otherwise. */
class History {
  readonly operations: Operation<TaskOperation>[] = [];

  add(asked: Asked, told: Told, at: { from?: number; to?: number } = {}): this {
    const time = this.operations.length * 10;
    const invokedAt = at.from ?? time;
    const returnedAt = told.kind === "unknown" ? Infinity : (at.to ?? time + 1);
    this.operations.push({ op: { asked, told }, invokedAt, returnedAt });
    return this;
  }

  create(): this {
    const limits = { maxFailures: 3, maxLostLeases: 0 };
    return this.add({ kind: "create", ...limits, dependsOn: [] }, ok("available", null, 0));
  }

  claim(sessionId: string, told: Told, at?: { from?: number; to?: number }): this {
    return this.add({ kind: "claim", sessionId, ttlSeconds: 1 }, told, at);
  }

  renew(sessionId: string, attempt: number, told: Told): this {
    return this.add({ kind: "renew", sessionId, attempt }, told);
  }

  complete(sessionId: string, attempt: number, told: Told): this {
    return this.add(
      { kind: "release", sessionId, attempt, status: "complete", isDelayed: false },
      told,
    );
  }

  get(told: Told): this {
    return this.add({ kind: "get" }, told);
  }

  get isLinearizable(): boolean {
    return checkLinearizability(taskModel, this.operations).isLinearizable;
  }
}

function ok(status: Seen["status"], claimedBy: string | null, attempt: number): Told {
  return { kind: "ok", seen: { status, claimedBy, attempt } };
}
const renewed: Told = { kind: "ok", seen: null };
const unknown: Told = { kind: "unknown" };
function refused(code: ErrorCode, reason: string | null = null): Told {
  return { kind: "refused", code, reason };
}

describe("the specification of a task explains", () => {
  for (const [what, history] of [
    [
      "a claim, its renewal and its end",
      new History()
        .create()
        .claim("a", ok("claimed", "a", 1))
        .renew("a", 1, renewed)
        .complete("a", 1, ok("complete", null, 1)),
    ],
    [
      "a repeated claim and a repeated release",
      new History()
        .create()
        .claim("a", ok("claimed", "a", 1))
        .claim("a", ok("claimed", "a", 1))
        .complete("a", 1, ok("complete", null, 1))
        .complete("a", 1, ok("complete", null, 1)),
    ],
    [
      "a lease that ended, and a second holder",
      new History()
        .create()
        .claim("a", ok("claimed", "a", 1))
        .claim("b", ok("claimed", "b", 2))
        .renew("a", 1, refused("lease_lost"))
        .complete("b", 2, ok("complete", null, 2)),
    ],
    [
      "a lease that may have ended, is renewed several times and then ends",
      new History()
        .create()
        .claim("a", ok("claimed", "a", 1))
        .renew("a", 1, renewed)
        .renew("a", 1, renewed)
        .get(ok("claimed", "a", 1))
        .get(ok("available", null, 1))
        .renew("a", 1, refused("lease_lost"))
        .claim("a", ok("claimed", "a", 2)),
    ],
    [
      "a delay after a failure, that is over at some time",
      new History()
        .create()
        .claim("a", ok("claimed", "a", 1))
        .add(
          { kind: "release", sessionId: "a", attempt: 1, status: "failed", isDelayed: false },
          ok("available", null, 1),
        )
        .claim("b", refused("not_available", "not_due"))
        .claim("b", ok("claimed", "b", 2)),
    ],
    [
      "a claim without an answer that was carried out",
      new History()
        .create()
        .claim("a", unknown)
        .get(ok("claimed", "a", 1)),
    ],
    [
      "a claim without an answer that was not",
      new History()
        .create()
        .claim("a", unknown)
        .claim("b", ok("claimed", "b", 1)),
    ],
    [
      "a worker that is busy",
      new History()
        .create()
        .claim("a", refused("overloaded"))
        .claim("b", ok("claimed", "b", 1)),
    ],
  ] as const) {
    it(what, () => {
      assert.ok(history.isLinearizable);
    });
  }
});

describe("the specification of a task does not explain", () => {
  for (const [what, history] of [
    [
      "two winners of one attempt",
      new History()
        .create()
        .claim("a", ok("claimed", "a", 1), { from: 10, to: 20 })
        .claim("b", ok("claimed", "b", 1), { from: 11, to: 21 }),
    ],
    [
      "a claim that was acknowledged and then was not there",
      new History()
        .create()
        .claim("a", ok("claimed", "a", 1))
        .get(ok("available", null, 0)),
    ],
    [
      "a completion that was acknowledged and then was not there",
      new History()
        .create()
        .claim("a", ok("claimed", "a", 1))
        .complete("a", 1, ok("complete", null, 1))
        .get(ok("claimed", "a", 1)),
    ],
    [
      "a holder whose lease ended and who completes the task of the next one",
      new History()
        .create()
        .claim("a", ok("claimed", "a", 1))
        .claim("b", ok("claimed", "b", 2))
        .complete("a", 1, ok("complete", null, 2)),
    ],
    [
      "a renewal that is refused while the record still shows the claim",
      new History()
        .create()
        .claim("a", ok("claimed", "a", 1))
        .renew("a", 1, refused("lease_lost"))
        .get(ok("claimed", "a", 1)),
    ],
    [
      "a renewal after another session has claimed the task",
      new History()
        .create()
        .claim("a", ok("claimed", "a", 1))
        .claim("b", ok("claimed", "b", 2))
        .renew("a", 1, renewed),
    ],
    [
      "a renewal after the lease was lost",
      new History()
        .create()
        .claim("a", ok("claimed", "a", 1))
        .renew("a", 1, refused("lease_lost"))
        .renew("a", 1, renewed),
    ],
    [
      "a refusal of a task that was free all the time",
      new History().create().claim("a", refused("already_claimed")),
    ],
    [
      "an attempt that does not grow",
      new History()
        .create()
        .claim("a", ok("claimed", "a", 1))
        .add(
          { kind: "release", sessionId: "a", attempt: 1, status: "available", isDelayed: false },
          ok("available", null, 1),
        )
        .claim("b", ok("claimed", "b", 1)),
    ],
    ["a task that nobody has created", new History().get(ok("available", null, 0))],
  ] as const) {
    it(what, () => {
      assert.ok(!history.isLinearizable);
    });
  }
});
