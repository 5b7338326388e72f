/** When claims are taken back, by the test's own clock. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ExpiredLease } from "../../src/service/lease-index.ts";
import type { Fact } from "../../src/service/ports.ts";
import { WatchPosition } from "../../src/watched/watch-position.ts";
import { Reclaims } from "../../src/service/reclaims.ts";
import { lease } from "../support/memory-leases.ts";

const GRACE_MS = 10_000;

/** Both watches are current, unless the worker has not `started`. */
function setUp(graceMs = GRACE_MS, { started = true } = {}): Setting {
  const clock = { time: 0, now: (): number => clock.time, random: (): number => 0 };
  const watches = [new WatchPosition(), new WatchPosition()] as const;
  const facts: Fact[] = [];
  const taken: string[] = [];
  const reclaims = new Reclaims(
    watches,
    graceMs,
    clock,
    (fact) => facts.push(fact),
    (taskId) => taken.push(taskId),
  );
  if (started) for (const watch of watches) watch.current();
  const at = (time: number): string[] => {
    clock.time = time;
    reclaims.check();
    return taken.splice(0);
  };
  return { reclaims, watches, facts, at };
}

interface Setting {
  readonly reclaims: Reclaims;
  readonly watches: readonly [WatchPosition, WatchPosition];
  readonly facts: Fact[];
  /** The tasks whose claims are taken back at this time. */
  readonly at: (time: number) => string[];
}

function expired(lateMs = 0): ExpiredLease {
  return { lease: lease(1), revision: 2, writtenAt: 0, lateMs, isDisconnected: false };
}

describe("a claim whose lease has run out", () => {
  it("is taken back at once, with another try each second until it is forgotten", () => {
    const { reclaims, facts, at } = setUp();
    reclaims.note("a", expired());
    reclaims.note("a", expired());
    assert.deepEqual([at(0), at(999), at(1_000)], [["a"], [], ["a"]]);
    reclaims.forget("a");
    assert.deepEqual(at(5_000), []);
    assert.deepEqual(facts, []);
  });

  it("is taken back at its time without a call of check", async () => {
    const { reclaims, at } = setUp();
    reclaims.note("a", expired());
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(at(0), ["a"]);
  });

  it("is not taken back while a watch is not current", () => {
    for (const i of [0, 1] as const) {
      const { reclaims, watches, at } = setUp();
      reclaims.note("a", expired());
      watches[i].restarted();
      assert.deepEqual(at(100), []);
      watches[i].current();
      // The lease had run out before the outage.
      assert.deepEqual(at(101), ["a"]);
    }
  });
});

describe("the grace after an outage", () => {
  it("spares leases whose end is seen in the outage or in the grace period, and no others", () => {
    const { reclaims, watches, facts, at } = setUp();
    watches[0].restarted();
    watches[1].restarted();
    reclaims.note("in the outage", expired());
    watches[0].current();
    at(1_000);
    assert.deepEqual(facts.splice(0), [
      { kind: "lease_spared", taskId: "in the outage", attempt: 1 },
    ]);
    watches[1].current();
    assert.deepEqual(facts.splice(0), [{ kind: "outage_grace", seconds: 10, spared: 1 }]);
    at(10_999);
    reclaims.note("in the grace", expired());
    assert.equal(facts.splice(0)[0]?.kind, "lease_spared");
    assert.deepEqual(at(10_999), []);
    reclaims.forget("in the outage");
    assert.deepEqual(at(11_000), ["in the grace"]);
    reclaims.note("later", expired());
    assert.deepEqual(at(11_000), ["later"]);
    assert.deepEqual(facts, []);
  });

  it("begins again with each outage, also for leases that are spared already", () => {
    const { reclaims, watches, facts, at } = setUp();
    watches[0].restarted();
    reclaims.note("a", expired());
    watches[0].current();
    at(9_000);
    watches[1].restarted();
    watches[1].restarted();
    assert.deepEqual(at(15_000), []);
    watches[1].current();
    assert.deepEqual(facts.at(-1), { kind: "outage_grace", seconds: 10, spared: 1 });
    assert.deepEqual([at(24_999), at(25_000)], [[], ["a"]]);
  });

  it("also follows when the server ends a lease much later than it was due", () => {
    const { reclaims, facts, at } = setUp();
    reclaims.note("on time", expired(3_000));
    assert.deepEqual([at(0), facts], [["on time"], []]);
    reclaims.note("late", expired(3_001));
    assert.deepEqual(facts.splice(0), [
      { kind: "lease_spared", taskId: "late", attempt: 1 },
      { kind: "outage_grace", seconds: 10, spared: 1 },
    ]);
    at(9_000);
    reclaims.forget("on time");
    reclaims.note("another late one", expired(60_000));
    assert.equal(facts.length, 1);
    assert.deepEqual([at(9_999), at(10_000)], [[], ["late", "another late one"]]);
  });

  it("does not follow if it is switched off", () => {
    const { reclaims, watches, facts, at } = setUp(0);
    watches[0].restarted();
    reclaims.note("a", expired());
    reclaims.note("late", expired(60_000));
    watches[0].current();
    assert.deepEqual(at(0), ["a", "late"]);
    assert.deepEqual(facts, []);
  });

  it("does not follow the start of a worker, even if its watches begin several times", () => {
    const { reclaims, watches, facts, at } = setUp(GRACE_MS, { started: false });
    for (const watch of watches) watch.restarted();
    watches[0].current();
    watches[0].restarted();
    reclaims.note("a", expired());
    for (const watch of watches) watch.current();
    assert.deepEqual(at(0), ["a"]);
    assert.deepEqual(facts, []);
  });
});
