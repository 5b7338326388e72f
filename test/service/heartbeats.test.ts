import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import { withLateWatch } from "../support/late-watch.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

async function claim(
  coordinator: TestCoordinator,
  id: string,
  more: { readonly ttl_seconds?: number } = {},
): Promise<number> {
  await coordinator.ok(`tasks.create.${id}`);
  const granted = coordinator.fact("lease_granted", ({ taskId }) => taskId === id);
  const { attempt } = await coordinator.ok(`tasks.claim.${id}`, { session_id: "s1", ...more });
  await granted;
  return attempt as number;
}

function idsIn(claims: Json[]): string[] {
  return claims.map(({ task_id }) => task_id as string);
}

describe("a heartbeat", () => {
  it("keeps the session and its claims alive beyond their TTL", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    await coordinator.ok("sessions.register.s1", { ttl_seconds: 2 });
    await claim(coordinator, "kept", { ttl_seconds: 2 });
    // This claim is not renewed: it shows when the time of the other one would have been over.
    await coordinator.ok("tasks.create.clock");
    await coordinator.ok("tasks.claim.clock", { session_id: "other", ttl_seconds: 3 });
    const clockExpired = coordinator.fact("lease_expired", ({ taskId }) => taskId === "clock");
    const soon = (): Promise<null> => new Promise((resolve) => setTimeout(resolve, 200, null));
    while ((await Promise.race([clockExpired, soon()])) === null) {
      const heartbeat = await coordinator.ok("sessions.heartbeat.s1");
      assert.deepEqual([heartbeat.lost, heartbeat.cancelled], [[], []]);
      assert.equal(heartbeat.claims[0].task_id, "kept");
    }
    const { holds } = await coordinator.ok("tasks.verify.kept", { session_id: "s1", attempt: 1 });
    assert.equal(holds, true);
  });

  it("answers with each claim's attempt and lease", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("sessions.register.s1");
    await claim(coordinator, "a", { ttl_seconds: 30 });
    await claim(coordinator, "b", { ttl_seconds: 60 });
    const before = Date.now();
    const { claims, session } = await coordinator.ok("sessions.heartbeat.s1");
    assert.equal(session.session_id, "s1");
    const byTask = new Map<string, Json>(claims.map((one: Json) => [one.task_id, one]));
    assert.deepEqual([...byTask.keys()].sort(), ["a", "b"]);
    const [a, b] = [byTask.get("a"), byTask.get("b")];
    assert.deepEqual([a.attempt, a.cancel_requested], [1, false]);
    assert.deepEqual([a.lease.ttl_seconds, b.lease.ttl_seconds], [30, 60]);
    assert.ok(Date.parse(b.lease.expires_at as string) >= before + 60_000);
  });

  it("reports once which claims were lost and which were cancelled", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("sessions.register.s1");
    await claim(coordinator, "expired", { ttl_seconds: 1 });
    await claim(coordinator, "requeued");
    await claim(coordinator, "cancelled");
    await claim(coordinator, "kept");
    await claim(coordinator, "completed");
    await coordinator.ok("tasks.release.completed", { session_id: "s1", status: "complete" });
    await coordinator.ok("tasks.requeue.requeued");
    await coordinator.ok("tasks.cancel.cancelled", { force: true });
    await coordinator.until("tasks.get.expired", (reply: Json) => reply.task.claimed_by === null);
    const { claims, lost, cancelled } = await coordinator.ok("sessions.heartbeat.s1");
    assert.deepEqual(
      claims.map(({ task_id }: Json) => task_id),
      ["kept"],
    );
    assert.deepEqual([lost.sort(), cancelled], [["expired", "requeued"], ["cancelled"]]);
    const again = await coordinator.ok("sessions.heartbeat.s1");
    assert.deepEqual([again.lost, again.cancelled], [[], []]);
  });

  it("checks the claims that it names by the records in the store", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    await coordinator.ok("sessions.register.s1");
    const attempt = await claim(coordinator, "mine");
    await coordinator.ok("tasks.create.others");
    await coordinator.ok("tasks.claim.others", { session_id: "s2" });
    const { claims, lost } = await coordinator.ok("sessions.heartbeat.s1", {
      claims: [
        { task_id: "mine", attempt },
        { task_id: "others", attempt: 1 },
        { task_id: "never-was", attempt: 1 },
      ],
    });
    assert.deepEqual(
      claims.map(({ task_id }: Json) => task_id),
      ["mine"],
    );
    assert.deepEqual(lost.sort(), ["never-was", "others"]);
    const wrong = await coordinator.ok("sessions.heartbeat.s1", {
      claims: [{ task_id: "mine", attempt: attempt + 1 }],
    });
    assert.deepEqual([wrong.claims, wrong.lost], [[], ["mine"]]);
  });

  it("renews the other claims if the record of one became unreadable", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("sessions.register.s1");
    const named = { task_id: "broken", attempt: await claim(coordinator, "broken") };
    const fine = { task_id: "fine", attempt: await claim(coordinator, "fine") };
    const bucket = await new Kvm(coordinator.connection).open("tasks");
    await bucket.put("broken", "no task");
    const { claims, lost } = await coordinator.ok("sessions.heartbeat.s1", {
      claims: [named, fine],
    });
    assert.deepEqual(
      claims.map(({ task_id }: Json) => task_id),
      ["fine"],
    );
    assert.deepEqual(lost, ["broken"]);
  });

  it("renews only the claims that it names, and lists the others", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    await coordinator.ok("sessions.register.s1");
    const named = { task_id: "named", attempt: await claim(coordinator, "named") };
    const dead = await claim(coordinator, "nobody-works-on-it", { ttl_seconds: 1 });
    const expired = coordinator.fact("lease_expired");
    const soon = (): Promise<null> => new Promise((resolve) => setTimeout(resolve, 100, null));
    while ((await Promise.race([expired, soon()])) === null) {
      const { claims, unnamed } = await coordinator.ok("sessions.heartbeat.s1", {
        claims: [named],
      });
      assert.deepEqual(idsIn(claims), ["named"]);
      // The claim may have been taken back a moment ago.
      if (unnamed.length > 0) {
        assert.deepEqual(unnamed, [{ task_id: "nobody-works-on-it", attempt: dead }]);
      }
    }
    assert.equal((await expired).taskId, "nobody-works-on-it");
  });

  it("renews no claim for an empty list, and all claims without a list", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("sessions.register.s1");
    await claim(coordinator, "a");
    const none = await coordinator.ok("sessions.heartbeat.s1", { claims: [] });
    assert.deepEqual([idsIn(none.claims), idsIn(none.unnamed)], [[], ["a"]]);
    const all = await coordinator.ok("sessions.heartbeat.s1");
    assert.deepEqual([idsIn(all.claims), idsIn(all.unnamed)], [["a"], []]);
  });

  it("does not report a claim as lost that the session ended through another worker", async () => {
    let isLate = false;
    await using coordinator = await TestCoordinator.start({
      wrapStores: withLateWatch("tasks", () => isLate),
    });
    await coordinator.ok("sessions.register.s1");
    await claim(coordinator, "a");
    isLate = true;
    const bucket = await new Kvm(coordinator.connection).open("tasks");
    const record: Json = (await bucket.get("a"))?.json();
    await bucket.put(
      "a",
      JSON.stringify({
        ...record,
        status: "complete",
        claimed_by: null,
        last_event: {
          ...record.last_event,
          type: "task_completed",
          old_status: "claimed",
          new_status: "complete",
          claimed_by: null,
        },
      }),
    );
    const { claims, lost } = await coordinator.ok("sessions.heartbeat.s1");
    assert.deepEqual([claims, lost], [[], []]);
  });

  it("is refused for an unknown session, and does not bring it back", async () => {
    await using coordinator = await TestCoordinator.start();
    const error = await coordinator.refused("sessions.heartbeat.nobody");
    assert.deepEqual([error.code, error.retryable], ["not_found", false]);
    assert.deepEqual((await coordinator.ok("sessions.list")).sessions, []);
  });
});
