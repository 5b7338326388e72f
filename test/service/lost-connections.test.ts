/** When the leases of a lost connection end, by the test's own clock. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LostConnections } from "../../src/service/lost-connections.ts";
import type { ConnectionId } from "../../src/service/ports.ts";

const GRACE_MS = 500;
/** A lease may be seen this long after its connection was lost. */
const REMEMBERED_MS = 10_000;
const FIRST: ConnectionId = { serverId: "N1", clientId: 7 };
const SECOND: ConnectionId = { serverId: "N2", clientId: 7 };

function setUp(): { lost: LostConnections; clock: { time: number } } {
  const clock = {
    time: 1_000,
    now: Date.now,
    steady: (): number => clock.time,
    random: (): number => 0,
  };
  return { lost: new LostConnections(GRACE_MS, clock), clock };
}

describe("a lost connection", () => {
  it("ends the leases that name it after the grace period, and no others", () => {
    const { lost } = setUp();
    assert.equal(lost.endOf(FIRST), null);
    lost.note(FIRST);
    assert.deepEqual(
      [lost.endOf(FIRST), lost.endOf(SECOND), lost.endOf(null)],
      [1_500, null, null],
    );
    assert.deepEqual([lost.has(FIRST), lost.has(SECOND)], [true, false]);
  });

  it("gives the whole grace period if the first lease that names it is seen later", () => {
    const { lost, clock } = setUp();
    lost.note(FIRST);
    clock.time += 9_000;
    assert.equal(lost.endOf(FIRST), clock.time + GRACE_MS);
    clock.time += GRACE_MS;
    assert.equal(
      lost.endOf(FIRST),
      clock.time,
      "the time is not put off each time it is asked for",
    );
  });

  it("is forgotten after a while", () => {
    const { lost, clock } = setUp();
    lost.note(FIRST);
    clock.time += GRACE_MS + REMEMBERED_MS - 1;
    assert.equal(lost.has(FIRST), true);
    clock.time += 1;
    assert.deepEqual([lost.has(FIRST), lost.endOf(FIRST)], [false, null]);
  });

  it("is remembered longer if it is reported again", () => {
    const { lost, clock } = setUp();
    lost.note(FIRST);
    clock.time += REMEMBERED_MS;
    lost.note(FIRST);
    clock.time += GRACE_MS + REMEMBERED_MS - 1;
    assert.equal(lost.has(FIRST), true);
  });

  it("is forgotten in an outage, so that sessions can come back", () => {
    const { lost } = setUp();
    lost.note(FIRST);
    lost.forgetAll();
    assert.deepEqual([lost.has(FIRST), lost.endOf(FIRST)], [false, null]);
  });
});
