/** Which holders are spared, by the test's own clock. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { KnownLease } from "../../src/service/lease-index.ts";
import { Outage } from "../../src/service/outage.ts";
import type { EndedEntry, EndOfLease, Fact, Lease } from "../../src/service/ports.ts";
import { WatchPosition } from "../../src/watched/watch-position.ts";

const GRACE_MS = 10_000;
const KNOWN = { lease: { ttlSeconds: 30 } as Lease, revision: 1, writtenAt: 1_000 };
const SEEN: KnownLease = KNOWN;

function setUp(graceMs = GRACE_MS, { started = true } = {}): Setting {
  const clock = {
    time: 0,
    now: Date.now,
    steady: (): number => clock.time,
    random: (): number => 0,
  };
  const watches = [new WatchPosition(), new WatchPosition()] as const;
  const facts: Fact[] = [];
  const observe = (fact: Fact): unknown => facts.push(fact);
  const outage = new Outage(watches, graceMs, { clock, observe }, () => 3);
  if (started) for (const watch of watches) watch.current();
  return { outage, watches, facts, clock };
}

interface Setting {
  readonly outage: Outage;
  readonly watches: readonly [WatchPosition, WatchPosition];
  readonly facts: Fact[];
  readonly clock: { time: number };
}

/** The end of the lease, so much later than it was due. */
function end(lateMs = 0, how: EndOfLease = "expired"): EndedEntry {
  const writtenAt = KNOWN.writtenAt + 30_000 + lateMs;
  return {
    kind: "ended",
    name: { taskId: "a", attempt: 1, epoch: 0 },
    revision: 2,
    how,
    writtenAt,
  };
}

describe("an outage", () => {
  it("lasts while a watch is not current, and the grace follows when all are", () => {
    for (const i of [0, 1] as const) {
      const { outage, watches, facts, clock } = setUp();
      assert.deepEqual([outage.sees, outage.isOn], [true, false]);
      watches[i].restarted();
      assert.deepEqual([outage.sees, outage.isOn, facts], [false, true, []]);
      clock.time = 60_000;
      watches[i].current();
      assert.deepEqual([outage.sees, outage.isOn], [true, true]);
      assert.deepEqual(facts, [{ kind: "outage_grace", seconds: 10, spared: 3 }]);
      assert.equal(outage.graceEndsAt, 70_000);
      clock.time = 69_999;
      assert.equal(outage.isOn, true);
      clock.time = 70_000;
      assert.equal(outage.isOn, false);
    }
  });

  it("that begins in the grace of another makes the grace begin again", () => {
    const { outage, watches, facts, clock } = setUp();
    for (const time of [0, 9_000]) {
      clock.time = time;
      watches[0].restarted();
      watches[0].restarted();
      watches[0].current();
    }
    assert.deepEqual([outage.graceEndsAt, facts.length], [19_000, 2]);
  });

  it("is not the start of a worker, even if its watches begin several times", () => {
    const { outage, watches, facts } = setUp(GRACE_MS, { started: false });
    assert.equal(outage.isOn, true, "until it sees everything it follows nothing up");
    for (const watch of watches) watch.restarted();
    watches[0].current();
    watches[0].restarted();
    for (const watch of watches) watch.current();
    assert.deepEqual([outage.isOn, facts], [false, []]);
  });

  it("tells its listeners when it begins, when the worker sees again, and when the grace begins", () => {
    const { outage, watches } = setUp();
    const told: [sees: boolean, isOn: boolean][] = [];
    outage.onChange(() => told.push([outage.sees, outage.isOn]));
    watches[0].restarted();
    assert.deepEqual(told.splice(0), [[false, true]]);
    watches[0].current();
    assert.deepEqual(told.at(-1), [true, true]);
  });
});

describe("the holder of a lease that has ended", () => {
  it("is not spared without an outage, however the lease ended", () => {
    const { outage } = setUp();
    for (const how of ["expired", "removed", "disconnected"] as const) {
      assert.equal(outage.spares(end(0, how), SEEN), false);
    }
  });

  it("is spared in an outage and in its grace", () => {
    const { outage, watches, clock } = setUp();
    watches[0].restarted();
    assert.equal(outage.spares(end(), SEEN), true);
    watches[0].current();
    clock.time = GRACE_MS - 1;
    assert.equal(outage.spares(end(), SEEN), true);
    clock.time = GRACE_MS;
    assert.equal(outage.spares(end(), SEEN), false);
  });

  it("is spared if the server ended the lease more than three seconds late, and a grace begins", async () => {
    const { outage, facts } = setUp();
    assert.equal(outage.spares(end(3_000), SEEN), false);
    assert.equal(outage.spares(end(60_000, "removed"), SEEN), false);
    assert.equal(outage.isOn, false);
    assert.equal(outage.spares(end(3_001), SEEN), true);
    // The grace reports how many holders it spares, so it begins when this one is among them.
    await Promise.resolve();
    assert.equal(outage.isOn, true);
    assert.deepEqual(facts, [{ kind: "outage_grace", seconds: 10, spared: 3 }]);
    assert.equal(outage.spares(end(60_000), SEEN), true);
    await Promise.resolve();
    assert.equal(facts.length, 1);
  });

  it("is spared by a worker that has not seen the lease alive", () => {
    const { outage, facts } = setUp();
    assert.equal(outage.spares(end(), null), true);
    assert.deepEqual([outage.isOn, facts], [false, []]);
  });

  it("is never spared if the grace is switched off", () => {
    const { outage, watches, facts } = setUp(0);
    assert.equal(outage.spares(end(60_000), SEEN), false);
    assert.equal(outage.spares(end(), null), false);
    watches[0].restarted();
    assert.equal(outage.spares(end(), SEEN), false);
    watches[0].current();
    assert.deepEqual([outage.isOn, facts], [false, []]);
  });
});
