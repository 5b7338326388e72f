/** Renewals after the end of a lease: either the renewal or the reclaim wins, never both. */
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Kvm } from "@nats-io/kv";
import type { Stores } from "../../src/service/ports.ts";
import type { EventType } from "../../src/task/task.ts";
import { withFaults } from "../support/faulty-stores.ts";
import { HeldMarkers } from "../support/held-markers.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

/** How often a race of about equal speed is repeated. */
const ROUNDS = 5;
const HOLDER = { session_id: "s1", attempt: 1 };

/** Creates the task and claims it for 1 s. Resolves when the claim has its lease. */
async function claim(coordinator: TestCoordinator, id = "a", more: object = {}): Promise<void> {
  await coordinator.ok(`tasks.create.${id}`);
  const granted = coordinator.fact("lease_granted", ({ taskId }) => taskId === id);
  await coordinator.ok(`tasks.claim.${id}`, { session_id: "s1", ttl_seconds: 1, ...more });
  await granted;
}

/** Repeats the renewal while the answer is "ask again". */
async function renew(coordinator: TestCoordinator, id: string, more: object = {}): Promise<Json> {
  const renewal = { ...HOLDER, ...more };
  return coordinator.until(`tasks.renew.${id}`, ({ error }) => error?.retryable !== true, renewal);
}

/** Calls `before` before each write of a task with this event. */
function beforeEvent(type: EventType, before: () => Promise<unknown>): (stores: Stores) => Stores {
  return withFaults({
    tasks: {
      write: (real) => async (prepared, expected) => {
        if (prepared.task.lastEvent?.type === type) await before();
        return real.write(prepared, expected);
      },
    },
  });
}

describe("a renewal after the end of the lease", () => {
  it("keeps the claim, its attempt, TTL and progress, and is recorded as an event", async () => {
    const markers = new HeldMarkers();
    await using coordinator = await TestCoordinator.start({ wrapStores: markers.wrapStores });
    const ended = markers.marker("a");
    await claim(coordinator, "a", { ttl_seconds: 5 });
    await coordinator.ok("tasks.renew.a", { ...HOLDER, ttl_seconds: 1, progress: "half" });
    await ended;
    const renewed = await coordinator.ok("tasks.renew.a", HOLDER);
    assert.deepEqual([renewed.attempt, renewed.lease.ttl_seconds], [1, 1]);

    const { task, lease } = await coordinator.ok("tasks.get.a");
    assert.deepEqual([task.status, task.claimed_by, task.attempt], ["claimed", "s1", 1]);
    assert.deepEqual([task.lease_epoch, task.ttl_seconds, task.failures], [1, 1, 0]);
    assert.deepEqual([lease.ttl_seconds, lease.progress], [1, "half"]);
    assert.deepEqual(
      [task.last_event.type, task.last_event.session_id, task.last_event.reason],
      ["task_renewed", "s1", "lease had run out"],
    );
    const bucket = await new Kvm(coordinator.connection).open("leases");
    assert.equal((await bucket.get("1-1.a"))?.json<Json>().epoch, 1);

    // The lease is now like any other: the next renewal does not write the record, and the lease ends again.
    await coordinator.ok("tasks.renew.a", { ...HOLDER, progress: "nearly" });
    const expired = coordinator.fact("lease_expired");
    markers.release();
    await expired;
    const events = ["task_created", "task_claimed", "task_renewed", "task_expired"];
    assert.deepEqual(await coordinator.eventsOf("a"), events);
    assert.equal((await coordinator.ok("tasks.get.a")).task.lease_epoch, undefined);
  });

  it("can happen several times, and each end of the lease needs its own", async () => {
    const markers = new HeldMarkers();
    await using coordinator = await TestCoordinator.start({ wrapStores: markers.wrapStores });
    let ended = markers.marker("a");
    await claim(coordinator);
    for (let epoch = 1; epoch <= 3; epoch++) {
      await ended;
      ended = markers.marker("a");
      await coordinator.ok("tasks.renew.a", HOLDER);
      assert.equal((await coordinator.ok("tasks.get.a")).task.lease_epoch, epoch);
    }
    const complete = { ...HOLDER, status: "complete" };
    assert.equal((await coordinator.ok("tasks.release.a", complete)).task.status, "complete");
  });

  it("is also made by a heartbeat, for every claim that it names", async () => {
    const markers = new HeldMarkers();
    await using coordinator = await TestCoordinator.start({ wrapStores: markers.wrapStores });
    await coordinator.ok("sessions.register.s1", { ttl_seconds: 60 });
    const ended = Promise.all([markers.marker("named"), markers.marker("known")]);
    await claim(coordinator, "named");
    await claim(coordinator, "known");
    await ended;
    const heartbeat = await coordinator.ok("sessions.heartbeat.s1", {
      claims: [
        { task_id: "named", attempt: 1 },
        { task_id: "known", attempt: 1 },
      ],
    });
    assert.deepEqual([heartbeat.lost, heartbeat.cancelled], [[], []]);
    for (const { task_id: id, attempt, lease } of heartbeat.claims) {
      assert.deepEqual([attempt, lease.ttl_seconds], [1, 1]);
      assert.deepEqual((await coordinator.eventsOf(id)).at(-1), "task_renewed");
    }
    assert.equal(heartbeat.claims.length, 2);
  });

  it("is refused if the reclaim is written while the renewal is under way", async () => {
    let isReclaimed: Promise<unknown> = Promise.resolve();
    const markers = new HeldMarkers();
    const late = beforeEvent("task_renewed", () => {
      markers.release();
      return isReclaimed;
    });
    await using coordinator = await TestCoordinator.start({
      wrapStores: (stores) => late(markers.wrapStores(stores)),
    });
    const ended = markers.marker("a");
    await claim(coordinator);
    isReclaimed = coordinator.fact("lease_expired");
    await ended;
    const refused = await coordinator.refused("tasks.renew.a", HOLDER);
    assert.deepEqual([refused.code, refused.retryable], ["lease_lost", false]);
    assert.deepEqual(await coordinator.eventsOf("a"), [
      "task_created",
      "task_claimed",
      "task_expired",
    ]);
    assert.equal((await coordinator.ok("tasks.claim.a", { session_id: "s2" })).attempt, 2);
  });

  it("wins over a reclaim by another worker that is under way", async () => {
    let reclaims = 0;
    let goOn = (): void => undefined;
    const gate = new Promise<void>((resolve) => (goOn = resolve));
    const reached = new EventEmitter();
    await using coordinator = await TestCoordinator.start({
      wrapStores: beforeEvent("task_expired", () => {
        reclaims++;
        reached.emit("reclaim");
        return gate;
      }),
    });
    const markers = new HeldMarkers();
    await coordinator.addWorkers(1, { wrapStores: markers.wrapStores });
    const reclaim = once(reached, "reclaim");
    await claim(coordinator);
    await reclaim;
    // Renewals that reach the first worker wait for its reclaim.
    const renewals = Array.from({ length: 20 }, () => renew(coordinator, "a"));
    await Promise.any(renewals);
    goOn();
    for (const renewed of await Promise.all(renewals)) assert.equal(renewed.attempt, 1);
    assert.equal(reclaims, 1);
    assert.deepEqual(await coordinator.eventsOf("a"), [
      "task_created",
      "task_claimed",
      "task_renewed",
    ]);
    assert.equal((await coordinator.ok("tasks.verify.a", HOLDER)).holds, true);
  });

  it("excludes the reclaim, and the reclaim excludes it", async () => {
    const markers = new HeldMarkers();
    markers.release();
    await using coordinator = await TestCoordinator.start({
      workers: 0,
      // The workers wait for 30 to 50 ms before they reclaim.
      clock: { random: () => 0.6 + Math.random() * 0.4 },
    });
    await coordinator.addWorkers(1, { wrapStores: markers.wrapStores });
    await coordinator.addWorkers(2);
    const renewals = new Map<string, Promise<Json>>();
    markers.onMarker((id) => {
      if (renewals.has(id)) return;
      const soon = delay((renewals.size % 10) * 7);
      renewals.set(
        id,
        soon.then(() => renew(coordinator, id, { ttl_seconds: 60 })),
      );
    });
    const counts = { kept: 0, lost: 0 };
    for (let round = 1; round <= ROUNDS && (counts.kept === 0 || counts.lost === 0); round++) {
      const ids = Array.from({ length: 50 }, (_, i) => `t${round}.${i}`);
      const ended = Promise.all(ids.map((id) => markers.marker(id)));
      await Promise.all(ids.map((id) => claim(coordinator, id)));
      await ended;
      for (const id of ids) {
        const reply = await renewals.get(id);
        if (reply.ok !== true) assert.equal(reply.error.code, "lease_lost");
        const event = reply.ok === true ? "task_renewed" : "task_expired";
        assert.deepEqual(await coordinator.eventsOf(id), ["task_created", "task_claimed", event]);
        const { holds } = await coordinator.ok(`tasks.verify.${id}`, HOLDER);
        assert.equal(holds, reply.ok);
        counts[reply.ok === true ? "kept" : "lost"]++;
      }
    }
    assert.ok(counts.kept > 0 && counts.lost > 0, JSON.stringify(counts));
  });
});

describe("a renewal whose worker died after it wrote the record", () => {
  const settings = { lease_grace_ms: 300 };

  /** Lets the first lease run out. A renewal begins the next one on the record, but does not write it. */
  async function renewHalfway(coordinator: TestCoordinator, workers: number): Promise<HalfWay> {
    let isBroken = true;
    const markers = new HeldMarkers();
    const withoutLease = withFaults({
      leases: {
        write: (real) => (lease, expected) =>
          lease.epoch > 0 && isBroken
            ? Promise.resolve({ kind: "unknown" as const })
            : real.write(lease, expected),
      },
    });
    const app = await coordinator.addWorkers(workers, {
      wrapStores: (stores) => withoutLease(markers.wrapStores(stores)),
    });
    const ended = markers.marker("a");
    await claim(coordinator);
    await ended;
    const error = await coordinator.refused("tasks.renew.a", HOLDER);
    assert.deepEqual([error.code, error.retryable], ["unavailable", true]);
    const mend = (): void => {
      isBroken = false;
      markers.release();
    };
    return { die: () => app.stop(), mend };
  }

  interface HalfWay {
    readonly die: () => Promise<void>;
    readonly mend: () => void;
  }

  async function isRestored(coordinator: TestCoordinator): Promise<void> {
    await coordinator.fact("lease_restored", () => true, 0);
    const { task } = await coordinator.ok("tasks.get.a");
    assert.deepEqual([task.claimed_by, task.attempt, task.lease_epoch], ["s1", 1, 1]);
    await coordinator.fact("lease_expired", () => true, 0);
    const events = ["task_created", "task_claimed", "task_renewed", "task_expired"];
    assert.deepEqual(await coordinator.eventsOf("a"), events);
  }

  it("leaves a claim whose lease is made by another worker", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0, settings });
    const { mend } = await renewHalfway(coordinator, 2);
    mend();
    await isRestored(coordinator);
  });

  it("leaves a claim whose lease is made by a worker that starts later", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0, settings });
    const { die } = await renewHalfway(coordinator, 1);
    await die();
    await coordinator.addWorkers(2);
    await isRestored(coordinator);
  });

  it("is completed by the holder's next renewal", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0, settings });
    const { mend } = await renewHalfway(coordinator, 1);
    mend();
    const renewed = await coordinator.ok("tasks.renew.a", { ...HOLDER, ttl_seconds: 60 });
    assert.deepEqual([renewed.attempt, renewed.lease.ttl_seconds], [1, 60]);
    assert.deepEqual(await coordinator.eventsOf("a"), [
      "task_created",
      "task_claimed",
      "task_renewed",
    ]);
  });
});
