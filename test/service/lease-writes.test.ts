/** Writes of leases by several workers, with every order of the writes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { leaseKeyOf } from "../../src/protocol/lease-key.ts";
import { nameOf } from "../../src/service/leases.ts";
import type { ConnectionId, EndOfLease } from "../../src/service/ports.ts";
import type { Task } from "../../src/task/task.ts";
import {
  CLAIM,
  leaseOf,
  MemoryStores,
  type MemoryWorker,
  refusal,
  withClaim,
  withLease,
} from "../support/memory-stores.ts";

const FIRST: ConnectionId = { serverId: "N1", clientId: 7 };
const SECOND: ConnectionId = { serverId: "N1", clientId: 8 };
const KEY = "1-0.a";
const NEXT_KEY = "1-1.a";

/** A worker that has seen the end of the lease, the lease only alive, or nothing of it. */
function afterTheEnd(
  seen: "end" | "alive" | "nothing",
  how: EndOfLease = "expired",
): { stores: MemoryStores; worker: MemoryWorker } {
  const stores = seen === "nothing" ? withClaim() : withLease({ connection: FIRST });
  const worker = stores.worker();
  stores.leases.putEnd(nameOf(CLAIM), how);
  if (seen === "end") worker.see();
  return { stores, worker };
}

function kindOf(stores: MemoryStores, key: string): string | undefined {
  return stores.leases.entries.get(key)?.kind;
}

describe("granting a lease", () => {
  it("creates it, and its own worker knows of it at once", async () => {
    for (const isOwn of [true, false]) {
      const stores = withClaim();
      const worker = stores.worker();
      if (isOwn) worker.leases.claimed(CLAIM, FIRST);
      await worker.writes.grant(CLAIM);
      const expected = leaseOf(CLAIM, { connection: isOwn ? FIRST : null });
      assert.deepEqual(stores.leases.live(KEY), expected);
      assert.deepEqual(worker.leases.index.get(KEY)?.lease, expected);
      const kind = isOwn ? "lease_granted" : "lease_restored";
      assert.deepEqual(worker.facts, [{ kind, taskId: "a", attempt: 1 }]);
    }
  });

  it("leaves a lease that is there alone, and takes it in", async () => {
    const stores = withClaim();
    const worker = stores.worker();
    const revision = stores.leases.put(leaseOf(CLAIM, { confirmed: true }));
    await worker.writes.grant(CLAIM);
    assert.equal(stores.leases.entries.get(KEY)?.revision, revision);
    assert.equal(worker.leases.index.get(KEY)?.revision, revision);
    assert.deepEqual(worker.facts, []);
  });

  it("never brings back a lease that has ended, and takes in its end", async () => {
    for (const how of ["expired", "removed", "disconnected"] as const) {
      const { stores, worker } = afterTheEnd("nothing", how);
      await worker.writes.grant(CLAIM);
      assert.equal(kindOf(stores, KEY), "ended");
      assert.equal(worker.leases.index.ended(KEY)?.how, how);
    }
  });

  it("does nothing for the next claim, however late it is", async () => {
    const stores = withClaim();
    const late = stores.worker();
    const next: Task = { ...CLAIM, attempt: 2, claimedBy: "s2", fencingToken: 9 };
    stores.tasks.put(next);
    stores.leases.put(leaseOf(next));
    await late.writes.grant(CLAIM);
    assert.equal(stores.leases.live("2-0.a").sessionId, "s2");
    // Any worker that knows the record purges what the late one has written.
    const other = stores.worker();
    await other.writes.purgeOld("a", next);
    assert.deepEqual([kindOf(stores, KEY), kindOf(stores, "2-0.a")], ["ended", "live"]);
  });
});

describe("beginning a lease again because its key is used", () => {
  it("raises the epoch in the record and creates the lease, once for all workers", async () => {
    const stores = withClaim();
    stores.leases.putEnd(nameOf(CLAIM));
    const workers = [stores.worker(), stores.worker()];
    workers[0]?.leases.claimed(CLAIM, FIRST);
    await Promise.all(workers.map(({ writes }) => writes.beginAgain(CLAIM)));
    assert.equal(stores.tasks.entries.get("a")?.task.leaseEpoch, 1);
    assert.equal(stores.leases.live(NEXT_KEY).fencingToken, CLAIM.fencingToken);
    const granted = workers
      .flatMap(({ facts }) => facts)
      .filter(({ kind }) => kind.startsWith("lease_"));
    assert.equal(granted.length, 1);
  });

  it("keeps the connection that the claim names", async () => {
    const stores = withClaim();
    stores.leases.putEnd(nameOf(CLAIM));
    const worker = stores.worker();
    worker.leases.claimed(CLAIM, FIRST);
    await worker.writes.beginAgain(CLAIM);
    assert.deepEqual(stores.leases.live(NEXT_KEY).connection, FIRST);
  });
});

describe("renewing a lease", () => {
  it("writes over the lease that this worker knows, and reads again if that was stale", async () => {
    const stores = withLease();
    const worker = stores.worker();
    await worker.writes.renew(CLAIM, 60);
    assert.deepEqual([stores.leases.writes, stores.leases.loads], [1, 0]);
    stores.leases.put(leaseOf(CLAIM, { progress: "reported to another worker" }));
    await worker.writes.renew(CLAIM, 90);
    assert.deepEqual([stores.leases.writes, stores.leases.loads], [3, 1]);
    const { ttlSeconds, confirmed, progress } = stores.leases.live(KEY);
    const expected = [90, true, "reported to another worker"];
    assert.deepEqual([ttlSeconds, confirmed, progress], expected);
  });

  it("creates the lease if the claim has none yet, with the connection of the claim", async () => {
    const stores = withClaim();
    const worker = stores.worker();
    worker.leases.claimed(CLAIM, FIRST);
    assert.equal((await worker.writes.renew(CLAIM, 60)).leaseEpoch, 0);
    const expected = leaseOf(CLAIM, { confirmed: true, connection: FIRST });
    assert.deepEqual(stores.leases.live(KEY), expected);
  });

  it("takes the progress that is reported, also null", async () => {
    for (const reported of [{ done: 1 }, 0, false, "", null]) {
      const stores = withLease();
      await stores.worker().writes.renew(CLAIM, 60, { reported });
      assert.deepEqual(stores.leases.live(KEY).progress, reported);
    }
  });

  it("is unavailable after a few lost races", async () => {
    const stores = withLease();
    stores.leases.write = () => Promise.resolve({ kind: "conflict" });
    assert.equal(await refusal(stores.worker().writes.renew(CLAIM, 60)), "unavailable");
  });

  it("takes nothing over from the lease of an earlier task under its key", async () => {
    for (const hasEnded of [false, true]) {
      const stores = withLease({ fencingToken: 3, connection: FIRST });
      const worker = stores.worker();
      if (hasEnded) stores.leases.putEnd(nameOf(CLAIM));
      worker.see();
      assert.equal((await worker.writes.renew(CLAIM, 60)).leaseEpoch, 1);
      assert.deepEqual(stores.leases.live(NEXT_KEY), {
        ...leaseOf(CLAIM, { epoch: 1, confirmed: true }),
      });
    }
  });
});

describe("renewing a lease after its end", () => {
  it("begins the next epoch, no matter how much this worker has seen", async () => {
    for (const seen of ["end", "alive", "nothing"] as const) {
      const { stores, worker } = afterTheEnd(seen);
      const renewed = await worker.writes.renew(CLAIM, 90);
      assert.equal(renewed.leaseEpoch, 1);
      assert.deepEqual(stores.tasks.entries.get("a")?.task, renewed);
      assert.equal(kindOf(stores, KEY), "ended");
      const { ttlSeconds, confirmed, progress } = stores.leases.live(NEXT_KEY);
      const kept = seen === "nothing" ? null : "half";
      assert.deepEqual([ttlSeconds, confirmed, progress], [90, true, kept]);
    }
  });

  it("begins it also if the marker is gone, at a worker that saw the end", async () => {
    const { stores, worker } = afterTheEnd("end");
    stores.leases.entries.clear();
    assert.equal((await worker.writes.renew(CLAIM, 60)).leaseEpoch, 1);
    assert.equal(kindOf(stores, KEY), undefined);
  });

  it("is made once by workers that renew at the same time", async () => {
    const { stores } = afterTheEnd("end");
    const workers = [stores.worker(), stores.worker(), stores.worker()];
    const renewed = await Promise.all(workers.map(({ writes }) => writes.renew(CLAIM, 60)));
    assert.deepEqual(new Set(renewed.map(({ leaseEpoch }) => leaseEpoch)), new Set([1]));
    assert.equal(kindOf(stores, NEXT_KEY), "live");
  });

  it("excludes the return of the claim, and is excluded by it", async () => {
    const expiry = { type: "expire", attempt: 1, epoch: 0 } as const;
    for (const first of ["renewal", "return"]) {
      const { stores, worker } = afterTheEnd("end");
      const other = stores.worker();
      if (first === "renewal") {
        await worker.writes.renew(CLAIM, 60);
        assert.equal((await other.writer.execute("a", expiry)).written, false);
      } else {
        await other.writer.execute("a", expiry);
        assert.equal(await refusal(worker.writes.renew(CLAIM, 60)), "lease_lost");
        assert.equal(kindOf(stores, NEXT_KEY), undefined);
      }
    }
  });

  it("is refused if another session holds the task", async () => {
    const { stores, worker } = afterTheEnd("end");
    stores.tasks.put({ ...CLAIM, attempt: 2, claimedBy: "s2" });
    assert.equal(await refusal(worker.writes.renew(CLAIM, 60)), "lease_lost");
  });

  it("keeps the connection, but not one that has ended the lease", async () => {
    for (const [how, kept] of [
      ["expired", FIRST],
      ["disconnected", null],
    ] as const) {
      const { stores, worker } = afterTheEnd("end", how);
      await worker.writes.renew(CLAIM, 60);
      assert.deepEqual(stores.leases.live(NEXT_KEY).connection, kept);
    }
  });
});

describe("ending a lease because its connection is lost", () => {
  it("happens once, and not if it was renewed meanwhile", async () => {
    const stores = withLease({ connection: FIRST });
    const [one, other] = [stores.worker(), stores.worker()];
    await one.writes.renew(CLAIM, 60, { connection: SECOND });
    await other.writes.disconnect(CLAIM);
    assert.deepEqual(stores.leases.live(KEY).connection, SECOND);
    await one.writes.disconnect(CLAIM);
    const marker = stores.leases.entries.get(KEY);
    assert.ok(marker?.kind === "ended" && marker.how === "disconnected");
    assert.equal(one.leases.index.ended(KEY)?.how, "disconnected");
    other.see();
    await other.writes.disconnect(CLAIM);
    assert.equal(stores.leases.entries.get(KEY), marker);
  });

  it("cannot be undone by a renewal that was under way when the connection was lost", async () => {
    const stores = withLease({ connection: FIRST });
    const worker = stores.worker();
    worker.leases.disconnected(FIRST);
    await worker.writes.renew(CLAIM, 60, { connection: SECOND });
    await worker.writes.renew(CLAIM, 60, { connection: FIRST });
    assert.deepEqual(stores.leases.live(KEY).connection, SECOND);
  });
});

describe("confirming a claim", () => {
  it("succeeds for one of any number of workers, with a lease or without one", async () => {
    for (const stores of [withClaim(), withLease()]) {
      const workers = [stores.worker(), stores.worker(), stores.worker()];
      const confirmed = await Promise.all(workers.map(({ writes }) => writes.confirm(CLAIM)));
      assert.equal(confirmed.filter(Boolean).length, 1);
      assert.equal(stores.leases.live(KEY).confirmed, true);
    }
  });

  it("fails if the lease is over, no matter how much this worker has seen", async () => {
    for (const seen of ["end", "alive", "nothing"] as const) {
      const { stores, worker } = afterTheEnd(seen);
      assert.equal(await worker.writes.confirm(CLAIM), false);
      assert.deepEqual([...stores.leases.entries.keys()].map(String), [leaseKeyOf(nameOf(CLAIM))]);
    }
  });
});

describe("purging the leases of claims that are over", () => {
  it("removes those of earlier attempts and epochs, and never that of the current claim", async () => {
    const stores = new MemoryStores();
    const current: Task = { ...CLAIM, attempt: 3, leaseEpoch: 2 };
    stores.tasks.put(current);
    for (const [attempt, epoch] of [
      [1, 0],
      [3, 1],
      [3, 2],
    ] as const) {
      stores.leases.put(leaseOf(CLAIM, { attempt, epoch }));
    }
    await stores.worker().writes.purgeOld("a", current);
    assert.deepEqual(
      ["1-0.a", "3-1.a", "3-2.a"].map((key) => kindOf(stores, key)),
      ["ended", "ended", "live"],
    );
  });
});
