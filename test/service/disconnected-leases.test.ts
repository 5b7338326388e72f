/** Leases that a worker ended because their connection was lost: what may be written over them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connectionKey } from "../../src/service/connection-key.ts";
import { LeaseIndex } from "../../src/service/lease-index.ts";
import { LeaseWrites } from "../../src/service/lease-writes.ts";
import type { ConnectionId } from "../../src/service/ports.ts";
import { lease, MemoryLeases, NOW, refusal } from "../support/memory-leases.ts";

const FIRST: ConnectionId = { serverId: "N1", clientId: 7 };
const SECOND: ConnectionId = { serverId: "N1", clientId: 8 };
const HELD = lease(1, { connection: FIRST });

/** Two workers with one store. Both have seen the lease alive. */
function setUp(): { store: MemoryLeases; workers: { index: LeaseIndex; writes: LeaseWrites }[] } {
  const store = new MemoryLeases();
  const revision = store.put(HELD);
  const workers = [0, 1].map(() => {
    const index = new LeaseIndex(() => undefined);
    index.entry({ kind: "live", revision, lease: HELD, writtenAt: NOW });
    index.current();
    const clock = { now: () => NOW, random: () => 0 };
    const isGone = (connection: ConnectionId): boolean => connection.clientId === FIRST.clientId;
    return { index, writes: new LeaseWrites(store, index, clock, isGone) };
  });
  return { store, workers };
}

function connectionIn(store: MemoryLeases): ConnectionId | null {
  const entry = store.entries.get("a");
  assert.ok(entry?.kind === "live");
  return entry.lease.connection;
}

describe("a lease whose connection is lost", () => {
  it("is ended once, and not at all if it was renewed meanwhile", async () => {
    const { store, workers } = setUp();
    const [one, other] = workers;
    assert.ok(one !== undefined && other !== undefined);
    await one.writes.renew(HELD, { connection: SECOND });
    await other.writes.disconnect("a", connectionKey(FIRST));
    assert.deepEqual(connectionIn(store), SECOND);
    await one.writes.disconnect("a", connectionKey(FIRST));
    assert.deepEqual(connectionIn(store), SECOND);
    await one.writes.disconnect("a", connectionKey(SECOND));
    assert.equal(store.entries.get("a")?.kind, "disconnected");
    assert.equal(one.index.expired("a")?.isDisconnected, true);
  });

  it("is renewed through the record and not written over, by any worker", async () => {
    for (const i of [0, 1]) {
      const { store, workers } = setUp();
      await workers[0]?.writes.disconnect("a", connectionKey(FIRST));
      const writes = workers[i]?.writes;
      assert.ok(writes !== undefined);
      const over = store.entries.get("a");
      const found = await writes.renew(lease(1), { connection: SECOND });
      assert.deepEqual(found, { kind: "expired", lease: HELD, over });
      assert.equal(await writes.grant(HELD, NOW), false);
      assert.deepEqual(await writes.restore(HELD), { kind: "left" });
      assert.equal(store.entries.get("a"), over);
      // After a renewal through the record it has another epoch, and only a connection that it names.
      const begun = lease(1, { epoch: 1 });
      assert.deepEqual(await writes.renew(begun, { over: over ?? null }), { kind: "written" });
      assert.equal(connectionIn(store), null);
    }
  });

  it("is replaced by the lease of the next attempt, and then its renewal is refused", async () => {
    const { workers } = setUp();
    const [one, other] = workers;
    await one?.writes.disconnect("a", connectionKey(FIRST));
    assert.equal(await one?.writes.grant(lease(2), NOW), true);
    assert.ok(other !== undefined);
    assert.equal(await refusal(other.writes.renew(HELD)), "lease_lost");
  });

  it("does not get its connection back from a renewal that was under way when this was lost", async () => {
    const { store, workers } = setUp();
    await workers[0]?.writes.renew(HELD, { connection: SECOND });
    await workers[1]?.writes.renew(HELD, { connection: FIRST });
    assert.deepEqual(connectionIn(store), SECOND);
  });
});
