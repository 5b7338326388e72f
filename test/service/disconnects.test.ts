/** When the leases of a lost connection end, by the test's own clock. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Disconnects } from "../../src/service/disconnects.ts";
import { LeaseIndex } from "../../src/service/lease-index.ts";
import type { ConnectionId } from "../../src/service/ports.ts";
import { lease } from "../support/memory-leases.ts";

const GRACE_MS = 60_000;
const FIRST: ConnectionId = { serverId: "N1", clientId: 7 };
const SECOND: ConnectionId = { serverId: "N2", clientId: 7 };

interface Setting {
  readonly disconnects: Disconnects;
  readonly index: LeaseIndex;
  readonly outage: { is: boolean };
  /** Adds a lease of the task that names the connection. */
  readonly granted: (taskId: string, connection: ConnectionId | null) => void;
  /** The tasks whose leases are ended at this time. */
  readonly at: (time: number) => string[];
}

function setUp(): Setting {
  const clock = { time: 0, now: (): number => clock.time, random: (): number => 0 };
  const outage = { is: false };
  const ended: string[] = [];
  let revision = 0;
  const index: LeaseIndex = new LeaseIndex((taskId) => {
    disconnects.look(taskId);
  });
  const end = (taskId: string): unknown => ended.push(taskId);
  const disconnects = new Disconnects(index, GRACE_MS, clock, () => outage.is, end);
  const granted = (taskId: string, connection: ConnectionId | null): void => {
    const known = lease(1, { taskId, connection });
    index.entry({ kind: "live", revision: ++revision, lease: known, writtenAt: 0 });
  };
  const at = (time: number): string[] => {
    clock.time = time;
    disconnects.check();
    return ended.splice(0);
  };
  return { disconnects, index, outage, granted, at };
}

describe("the leases of a lost connection", () => {
  it("end after the grace period, with another try each second until they have ended", () => {
    const { disconnects, index, granted, at } = setUp();
    granted("a", FIRST);
    granted("b", FIRST);
    granted("c", SECOND);
    granted("d", null);
    disconnects.note(FIRST);
    assert.deepEqual([at(GRACE_MS - 1), at(GRACE_MS)], [[], ["a", "b"]]);
    index.applyDisconnected(lease(1, { taskId: "a", connection: FIRST }), 9, 0);
    assert.deepEqual([at(GRACE_MS + 999), at(GRACE_MS + 1_000)], [[], ["b"]]);
    index.applyDisconnected(lease(1, { taskId: "b", connection: FIRST }), 10, 0);
    assert.deepEqual(at(GRACE_MS + 5_000), []);
  });

  it("stay if they name another connection by then", () => {
    const { disconnects, granted, at } = setUp();
    granted("a", FIRST);
    disconnects.note(FIRST);
    granted("a", SECOND);
    assert.deepEqual(at(GRACE_MS), []);
  });

  it("get the whole grace period if they are seen after the loss, and end if that was long ago", () => {
    const { disconnects, granted, at } = setUp();
    disconnects.note(FIRST);
    at(9_000);
    granted("a", FIRST);
    assert.equal(disconnects.isLost(FIRST), true);
    assert.deepEqual([at(GRACE_MS + 8_999), at(GRACE_MS + 9_000)], [[], ["a"]]);
    at(GRACE_MS + 10_000);
    assert.equal(disconnects.isLost(FIRST), false);
    granted("b", FIRST);
    assert.deepEqual(at(3 * GRACE_MS), []);
  });

  it("last until their time is over if the loss is reported, or they become due, in an outage", () => {
    for (const heard of [true, false]) {
      const { disconnects, granted, outage, at } = setUp();
      granted("a", FIRST);
      outage.is = heard;
      disconnects.note(FIRST);
      outage.is = !heard;
      assert.deepEqual(at(GRACE_MS), []);
      outage.is = false;
      assert.deepEqual(at(2 * GRACE_MS), []);
    }
  });

  it("are found without looking at all other leases", () => {
    const { disconnects, index, granted, at } = setUp();
    const count = 1_000;
    for (let i = 0; i < 10 * count; i++) granted(`t${i}`, { serverId: "N1", clientId: i });
    let looked = 0;
    const connectedBy = index.connectedBy.bind(index);
    index.connectedBy = (key) => {
      const found = connectedBy(key);
      looked += found.size;
      return found;
    };
    index.get = () => assert.fail("no lease is looked for by its task");
    for (let i = 0; i < count; i++) disconnects.note({ serverId: "N1", clientId: i });
    assert.equal(at(GRACE_MS).length, count);
    assert.ok(looked <= 3 * count, `${looked} leases`);
  });
});
