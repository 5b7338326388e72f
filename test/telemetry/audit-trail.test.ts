/** What becomes an entry of the audit, and what becomes of the entries. The test sets the time. */
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { describe, it } from "node:test";
import type { AuditEntry } from "../../src/protocol/audit-message.ts";
import type { Fact } from "../../src/service/ports.ts";
import { AuditTrail, MAX_WAITING, MAX_WAITING_BYTES } from "../../src/telemetry/audit-trail.ts";
import { OWN_PER_SECOND, RefusalRate } from "../../src/telemetry/refusal-rate.ts";
import { requestFact } from "../support/request-fact.ts";

type Written = Extract<Fact, { kind: "task_written" }>;

function written(fields: Partial<Written> = {}): Written {
  return {
    ...{ kind: "task_written", taskId: "P1", event: "task_claimed", attempt: 1, revision: 7 },
    ...{ sessionId: "s1.a", principal: "agent.s1" },
    ...fields,
  };
}

/** A trail, and a store that keeps what it gets. */
class Trial {
  now = 1_000_000;
  isReady = true;
  /** What the store answers. */
  answer: string | null = null;
  readonly stored: AuditEntry[] = [];
  readonly lost: number[] = [];
  readonly signals = new EventEmitter();
  readonly trail: AuditTrail;

  constructor({ countsUnnamed = false } = {}) {
    // The getter of an object literal has another `this`.
    const isReady = (): boolean => this.isReady;
    const store = {
      get isReady() {
        return isReady();
      },
      store: (entries: readonly AuditEntry[]) => {
        if (this.answer === null) this.stored.push(...entries);
        this.signals.emit("stored");
        return Promise.resolve(this.answer);
      },
    };
    this.trail = new AuditTrail(store, {
      countsUnnamed,
      now: () => this.now,
      observe: (fact) => {
        if (fact.kind === "audit_lost") this.lost.push(fact.entries);
      },
    });
  }

  note(...facts: readonly Fact[]): void {
    for (const fact of facts) this.trail.note(fact);
  }
}

describe("the audit", () => {
  it("stores an entry soon, also while it waits for the end of many refusals", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const trial = new Trial();
    const refusal = requestFact({ outcome: "forbidden", principal: "agent.s1" });
    for (let i = 0; i <= OWN_PER_SECOND; i++) trial.note(refusal);
    t.mock.timers.tick(100);
    for (let i = 0; i < 10; i++) await Promise.resolve();
    assert.equal(trial.stored.length, OWN_PER_SECOND);
    trial.note(written());
    t.mock.timers.tick(100);
    for (let i = 0; i < 10; i++) await Promise.resolve();
    assert.equal(trial.stored.at(-1)?.event, "task_claimed");
  });

  it("has the changes of requests and the refusals for lack of right", async () => {
    const trial = new Trial();
    trial.note(
      written(),
      written({ event: "task_expired", principal: null }),
      written({ event: "task_unblocked", principal: null }),
      requestFact(),
      requestFact({ outcome: "already_claimed", principal: "agent.s1" }),
      requestFact({ outcome: "limit_reached", principal: "agent.s1", operation: "tasks.create" }),
      requestFact({ outcome: "ok", operation: "sessions.register", id: "s1.a" }),
      requestFact({ outcome: "ok", operation: "sessions.heartbeat", id: "s1.a" }),
    );
    await trial.trail.stop();
    assert.deepEqual(
      trial.stored.map(({ outcome, operation, event }) => [outcome, operation, event]),
      [
        ["ok", "tasks.claim", "task_claimed"],
        ["limit_reached", "tasks.create", undefined],
        ["ok", "sessions.register", undefined],
      ],
    );
    assert.deepEqual(trial.lost, []);
  });

  it("has the changes without a principal where the server names nobody", async () => {
    const trial = new Trial({ countsUnnamed: true });
    trial.note(
      written({ principal: null }),
      written({ event: "task_expired", principal: null }),
      written({ event: "task_of_a_later_version", principal: null }),
    );
    await trial.trail.stop();
    assert.deepEqual(
      trial.stored.map(({ event }) => event),
      ["task_claimed"],
    );
  });

  it("stores entries without being asked, in order", async () => {
    const trial = new Trial();
    for (let revision = 1; revision <= 500; revision++) trial.note(written({ revision }));
    // The timers of the trail do not keep a process alive.
    const alive = setInterval(() => undefined, 1_000);
    while (trial.stored.length < 500) await once(trial.signals, "stored");
    clearInterval(alive);
    assert.deepEqual(
      trial.stored.map(({ revision }) => revision),
      Array.from({ length: 500 }, (_, i) => i + 1),
    );
  });

  it("keeps a bounded number of entries and bytes while NATS is away, and counts the others", async () => {
    for (const [taskId, most] of [
      ["P1", MAX_WAITING],
      ["x".repeat(1_000), Math.floor(MAX_WAITING_BYTES / 1_212)],
    ] as const) {
      const trial = new Trial();
      trial.isReady = false;
      for (let revision = 1; revision <= 20_000; revision++) {
        trial.note(written({ taskId, revision }));
      }
      trial.isReady = true;
      await trial.trail.stop();
      assert.ok(Math.abs(trial.stored.length - most) < 2, `${trial.stored.length}`);
      assert.equal(trial.stored.at(-1)?.revision, trial.stored.length, "the first ones");
      assert.deepEqual(trial.lost, [20_000 - trial.stored.length]);
    }
  });

  it("counts what the store refuses, and what it could not take before the worker stopped", async () => {
    const refused = new Trial();
    refused.answer = "no response from stream";
    refused.note(...Array.from({ length: 300 }, () => written()));
    await refused.trail.stop();
    assert.deepEqual(refused.lost, [200, 100]);

    const away = new Trial();
    away.isReady = false;
    away.note(written(), written());
    await away.trail.stop();
    assert.deepEqual(away.lost, [2]);
  });

  it("has a bounded number of refusals of a principal in each second, and their number", async () => {
    const trial = new Trial();
    const flood = (principal: string): void => {
      for (let i = 0; i < 50_000; i++) {
        trial.note(requestFact({ outcome: "forbidden", operation: "tasks.requeue", principal }));
      }
    };
    flood("agent.s1");
    flood("agent.s2");
    trial.note(requestFact({ outcome: "not_holder", principal: "agent.s1" }));
    trial.now += 1_000;
    trial.note(written());
    await trial.trail.stop();
    const counts = trial.stored.map(({ principal, outcome, count }) => [principal, outcome, count]);
    const own = counts.filter(([, , count]) => count === undefined);
    assert.equal(own.length, 2 * OWN_PER_SECOND + 2);
    assert.deepEqual(
      counts.filter(([, , count]) => count !== undefined),
      [
        ["agent.s1", "forbidden", 49_990],
        ["agent.s2", "forbidden", 49_990],
      ],
    );
  });

  it("counts the refusals of invented principals together", () => {
    const rate = new RefusalRate();
    let own = 0;
    for (let i = 0; i < 100_000; i++) {
      const principal = `agent.invented-${i}`;
      const entry = { at: 500, outcome: "forbidden", operation: "tasks.get", principal } as const;
      if (rate.admits({ ...entry, sessionId: null, id: null })) own++;
    }
    assert.equal(own, 1_000 + OWN_PER_SECOND);
    assert.deepEqual(rate.due(999), []);
    const [rest, ...more] = rate.due(1_000);
    assert.equal(rest?.count, 99_000 - OWN_PER_SECOND);
    assert.deepEqual(more, []);
    assert.equal(rate.isOpen, false);
  });
});
