import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type KvEntry, Kvm } from "@nats-io/kv";
import { OPERATIONS } from "../../src/protocol/operations.ts";
import { withFaults } from "../support/faulty-stores.ts";
import { askNext, idsOf, next, parked } from "../support/next-requests.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

const HOLDER = { session_id: "s1", attempt: 1 };

/** Claims the task for s1, and returns the attempt. */
async function claim(coordinator: TestCoordinator, more: object = {}): Promise<number> {
  const { attempt } = await coordinator.ok("tasks.claim.a", { session_id: "s1", ...more });
  return attempt as number;
}

async function shown(coordinator: TestCoordinator): Promise<unknown> {
  const { lease } = await coordinator.ok("tasks.get.a");
  assert.notEqual(lease, null);
  return lease.progress;
}

/** Resolves when so many answers in a row fit that each worker has given one. */
async function onEveryWorker(
  coordinator: TestCoordinator,
  fits: (lease: Json) => boolean,
): Promise<void> {
  let inRow = 0;
  await coordinator.until("tasks.get.a", ({ lease }) => {
    inRow = lease !== null && fits(lease) ? inRow + 1 : 0;
    return inRow === 20;
  });
}

/** The lease of an attempt, as the bucket `leases` has it. */
async function stored(coordinator: TestCoordinator, attempt = 1): Promise<KvEntry> {
  const bucket = await new Kvm(coordinator.connection).open("leases");
  const entry = await bucket.get(`${attempt}-0.a`);
  assert.ok(entry !== null);
  return entry;
}

describe("the progress that a holder reports with a renewal", () => {
  it("is shown by tasks.get and kept in the bucket leases, not in the record", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    assert.equal((await coordinator.ok("tasks.get.a")).lease, null, "nobody holds it");
    await claim(coordinator, { ttl_seconds: 60 });
    const { task, lease: fresh, revision: claimed } = await coordinator.ok("tasks.get.a");
    assert.equal(fresh.progress, null);

    const progress = { step: "parsing", done: [1, 2], of: 10, note: null };
    const before = Date.now();
    const renewed = await coordinator.ok("tasks.renew.a", { ...HOLDER, progress });
    assert.deepEqual(Object.keys(renewed.lease), ["ttl_seconds", "expires_at"]);
    const reply = await coordinator.ok("tasks.get.a");
    const { expires_at: expiresAt, ...lease } = reply.lease;
    assert.deepEqual(lease, { ttl_seconds: 60, progress });
    assert.ok(Date.parse(expiresAt as string) >= before + 60_000, expiresAt);
    assert.deepEqual(OPERATIONS["tasks.get"].reply.parse(reply), reply);
    assert.deepEqual((await stored(coordinator)).json(), {
      session_id: "s1",
      attempt: 1,
      epoch: 0,
      fencing_token: task.fencing_token,
      ttl_seconds: 60,
      confirmed: true,
      progress,
    });
    assert.equal(reply.revision, claimed, "no renewal changes the record");
  });

  it("may be any JSON, and null takes it back", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await claim(coordinator);
    for (const progress of [0.5, "half", false, 0, "", [], [[1]], {}, null]) {
      await coordinator.ok("tasks.renew.a", { ...HOLDER, progress });
      assert.deepEqual(await shown(coordinator), progress);
    }
  });

  it("stays after a renewal that reports nothing, and after a heartbeat", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("sessions.register.s1");
    await claim(coordinator);
    await coordinator.ok("tasks.renew.a", { ...HOLDER, progress: "half" });
    const { revision: reported } = await stored(coordinator);

    await coordinator.ok("tasks.renew.a", { ...HOLDER, ttl_seconds: 77 });
    const renewed = await stored(coordinator);
    assert.deepEqual([renewed.json<Json>().progress, renewed.revision > reported], ["half", true]);
    const { claims } = await coordinator.ok("sessions.heartbeat.s1", {
      claims: [{ task_id: "a", attempt: 1 }],
    });
    assert.deepEqual(Object.keys(claims[0].lease), ["ttl_seconds", "expires_at"]);
    const beaten = await stored(coordinator);
    assert.ok(beaten.revision > renewed.revision);
    const { ttl_seconds, progress } = beaten.json<Json>();
    assert.deepEqual([ttl_seconds, progress], [77, "half"]);
    await onEveryWorker(
      coordinator,
      (lease) => lease.ttl_seconds === 77 && lease.progress === "half",
    );
  });

  it("stays when the claim is repeated to its session", async () => {
    await using coordinator = await TestCoordinator.start();
    const asked = askNext(coordinator, "s1", { wait_seconds: 30 });
    await parked(coordinator, 1);
    await coordinator.ok("tasks.create.a");
    await asked;
    const { task } = await coordinator.ok("tasks.get.a");
    // The lease of a holder that has not acknowledged its claim.
    const holder = { ...HOLDER, epoch: 0, fencing_token: task.fencing_token, ttl_seconds: 300 };
    const bucket = await new Kvm(coordinator.connection).open("leases");
    const lease = { ...holder, confirmed: false, progress: "half" };
    await bucket.put("1-0.a", JSON.stringify(lease));
    await coordinator.until("tasks.get.a", ({ lease }) => lease.progress === "half");
    assert.deepEqual(idsOf(await next(coordinator, "s1")), ["a"]);
    const { confirmed, progress } = (await stored(coordinator)).json<Json>();
    assert.deepEqual([confirmed, progress], [true, "half"]);
  });

  it("is shown by every worker, also by one that starts later", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0 });
    const first = await coordinator.addWorkers(2);
    await coordinator.ok("tasks.create.a");
    await claim(coordinator);
    await coordinator.ok("tasks.renew.a", { ...HOLDER, progress: { done: 3 } });
    await onEveryWorker(coordinator, (lease) => lease.progress?.done === 3);

    await first.stop();
    await coordinator.addWorkers(1);
    assert.deepEqual(await shown(coordinator), { done: 3 });
  });

  it("ends with its claim: the next attempt begins without progress", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await claim(coordinator);
    await coordinator.ok("tasks.renew.a", { ...HOLDER, progress: "of the first" });
    await coordinator.ok("tasks.release.a", { ...HOLDER, status: "available" });
    assert.equal((await coordinator.ok("tasks.get.a")).lease, null);

    assert.equal(await claim(coordinator), 2);
    assert.equal(await shown(coordinator), null);
    await coordinator.ok("tasks.renew.a", { session_id: "s1", attempt: 2 });
    assert.equal(await shown(coordinator), null);
    assert.equal((await stored(coordinator, 2)).json<Json>().progress, null);
  });

  it("cannot be reported by a stale attempt or another session", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await claim(coordinator);
    await coordinator.ok("tasks.release.a", { ...HOLDER, status: "available" });
    await claim(coordinator);
    await coordinator.ok("tasks.renew.a", { session_id: "s1", attempt: 2, progress: "current" });
    const { revision } = await stored(coordinator, 2);

    const late = { ...HOLDER, progress: "stale" };
    assert.equal((await coordinator.refused("tasks.renew.a", late)).code, "lease_lost");
    const other = { session_id: "s2", attempt: 2, progress: "of another" };
    assert.equal((await coordinator.refused("tasks.renew.a", other)).code, "not_holder");
    const after = await stored(coordinator, 2);
    assert.deepEqual([after.revision, after.json<Json>().progress], [revision, "current"]);
    assert.equal(await shown(coordinator), "current");
  });

  it("is refused if it is too large, and the last report stays", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await claim(coordinator);
    // With its quotes it has exactly the size limit.
    const largest = "x".repeat(4094);
    await coordinator.ok("tasks.renew.a", { ...HOLDER, progress: largest });
    const { revision } = await stored(coordinator);
    for (const progress of [`${largest}x`, "ü".repeat(2048), Array(2048).fill(1)]) {
      const error = await coordinator.refused("tasks.renew.a", { ...HOLDER, progress });
      const size = Buffer.byteLength(JSON.stringify(progress));
      assert.deepEqual(
        [error.code, error.field, error.size, error.limit, error.retryable],
        ["too_large", "progress", size, 4096, false],
      );
      assert.match(error.message, /^progress: has \d+ bytes, over the limit of 4096: keep large/);
    }
    assert.equal((await stored(coordinator)).revision, revision, "nothing was renewed");
    assert.equal(await shown(coordinator), largest);
  });
});

describe("the lease that tasks.get shows", () => {
  it("is computed from the claim while the worker knows no lease of the current attempt", async () => {
    await using coordinator = await TestCoordinator.start({
      wrapStores: withFaults({
        leases: {
          // The second claim gets no lease, and the lease of the first one stays.
          write: (real) => (lease, expected) =>
            lease.attempt === 1
              ? real.write(lease, expected)
              : Promise.resolve({ kind: "unknown" as const }),
          end: () => () => Promise.resolve({ kind: "unknown" as const }),
        },
      }),
    });
    await coordinator.ok("tasks.create.a");
    await claim(coordinator);
    await coordinator.ok("tasks.renew.a", { ...HOLDER, progress: "of the first" });
    await coordinator.ok("tasks.release.a", { ...HOLDER, status: "available" });
    assert.equal((await coordinator.ok("tasks.get.a")).lease, null);
    await coordinator.ok("tasks.claim.a", { session_id: "s2", ttl_seconds: 60 });
    const { task, lease } = await coordinator.ok("tasks.get.a");
    assert.deepEqual([task.status, task.attempt], ["claimed", 2]);
    const expiresAt = new Date(Date.parse(task.claimed_at as string) + 60_000).toISOString();
    assert.deepEqual(lease, { ttl_seconds: 60, expires_at: expiresAt, progress: null });
  });
});
