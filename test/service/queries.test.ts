import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

function idsOf({ tasks }: Json): string[] {
  return tasks.map((task: Json) => task.task_id as string);
}

async function complete(
  coordinator: TestCoordinator,
  id: string,
  sessionId: string,
): Promise<void> {
  await coordinator.ok(`tasks.claim.${id}`, { session_id: sessionId });
  await coordinator.ok(`tasks.release.${id}`, { session_id: sessionId, status: "complete" });
}

describe("listing tasks", () => {
  it("filters by status, holder, prefix and tags, and by all of them together", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.import", {
      tasks: [
        { task_id: "P0.1", tags: ["docs", "urgent"] },
        { task_id: "P0.2", tags: ["docs"] },
        { task_id: "P1.1", tags: ["docs"], depends_on: ["P0.2"] },
        { task_id: "P1.2" },
      ],
    });
    await coordinator.ok("tasks.claim.P0.2", { session_id: "s1" });
    await coordinator.ok("tasks.claim.P1.2", { session_id: "s2" });
    const list = async (filter: object): Promise<string[]> =>
      idsOf(await coordinator.ok("tasks.list", filter)).sort();
    assert.deepEqual(await list({}), ["P0.1", "P0.2", "P1.1", "P1.2"]);
    assert.deepEqual(await list({ status: "claimed" }), ["P0.2", "P1.2"]);
    assert.deepEqual(await list({ status: ["available", "blocked"] }), ["P0.1", "P1.1"]);
    assert.deepEqual(await list({ claimed_by: "s1" }), ["P0.2"]);
    assert.deepEqual(await list({ prefix: "P1." }), ["P1.1", "P1.2"]);
    assert.deepEqual(await list({ tags: ["docs", "urgent"] }), ["P0.1"]);
    assert.deepEqual(await list({ tags: ["docs"], prefix: "P0", status: "claimed" }), ["P0.2"]);
    assert.deepEqual(await list({ status: "complete" }), []);
  });

  it("goes by order of creation, through all pages without repeating or skipping a task", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 3 });
    const created: string[] = [];
    for (let i = 0; i < 40; i++) {
      await coordinator.ok(`tasks.create.t${40 - i}`);
      created.push(`t${40 - i}`);
    }
    const bucket = await new Kvm(coordinator.connection).open("tasks");
    const seen: string[] = [];
    let cursor: string | null = null;
    let pages = 0;
    do {
      const page: Json = await coordinator.ok("tasks.list", {
        limit: 7,
        ...(cursor === null ? {} : { cursor }),
      });
      seen.push(...idsOf(page));
      cursor = page.next_cursor;
      pages++;
      // Meanwhile tasks that were shown and tasks that were not change, and the last one shown is removed.
      for (const id of [created[7 * pages - 7], created[Math.min(7 * pages + 2, 39)]]) {
        await coordinator.ok(`tasks.update.${id ?? ""}`, { priority: 1 });
      }
      await bucket.purge(seen.at(-1) ?? "");
    } while (cursor !== null);
    assert.deepEqual(seen, created);
    assert.equal(pages, 6);
  });

  it("ends with the last page, also if that is full", async () => {
    await using coordinator = await TestCoordinator.start();
    for (const id of ["a", "b", "c", "d"]) await coordinator.ok(`tasks.create.${id}`);
    const first = await coordinator.ok("tasks.list", { limit: 2 });
    const second = await coordinator.ok("tasks.list", { limit: 2, cursor: first.next_cursor });
    assert.deepEqual(
      [idsOf(first), idsOf(second)],
      [
        ["a", "b"],
        ["c", "d"],
      ],
    );
    assert.equal(second.next_cursor, null);
    const error = await coordinator.refused("tasks.list", { cursor: "nonsense" });
    assert.deepEqual([error.code, error.field], ["invalid_request", "cursor"]);
  });

  it("shows every write at once, on every worker", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 3 });
    for (let i = 0; i < 30; i++) {
      const { revision } = await coordinator.ok("tasks.create", { tags: [`t${i}`] });
      const [list, stats] = await Promise.all([
        coordinator.ok("tasks.list", { tags: [`t${i}`] }),
        coordinator.ok("tasks.stats"),
      ]);
      assert.equal(list.tasks.length, 1);
      assert.ok(list.revision >= revision);
      assert.equal(stats.total, i + 1);
    }
  });
});

describe("verifying a claim", () => {
  it("holds for the session, attempt and token of the claim only", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    const holds = async (claim: object): Promise<boolean> =>
      (await coordinator.ok("tasks.verify.a", claim)).holds as boolean;
    assert.equal(await holds({ attempt: 0 }), false);
    const claim = await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    const fencing_token = claim.fencing_token as number;
    const reply = await coordinator.ok("tasks.verify.a", { session_id: "s1", attempt: 1 });
    assert.deepEqual(reply, { ok: true, holds: true, holder: "s1", attempt: 1, fencing_token });
    assert.equal(await holds({ fencing_token }), true);
    assert.equal(await holds({ fencing_token: fencing_token - 1 }), false);
    assert.equal(await holds({ session_id: "s2", fencing_token }), false);
    assert.deepEqual(
      [await holds({ attempt: 1 }), await holds({ session_id: "s1" })],
      [true, true],
    );
    assert.deepEqual(
      [await holds({ session_id: "s2", attempt: 1 }), await holds({ attempt: 2 })],
      [false, false],
    );
    await coordinator.ok("tasks.release.a", { session_id: "s1", status: "available" });
    assert.equal(await holds({ session_id: "s1", attempt: 1 }), false);
    assert.equal(await holds({ fencing_token }), false);
    const error = await coordinator.refused("tasks.verify.a");
    assert.match(error.message, /name the fencing_token, the attempt or the session_id/);
  });
});

describe("the stats", () => {
  it("count tasks by status, ready tasks, leases, sessions and unreadable records", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.import", {
      tasks: [
        { task_id: "ready" },
        { task_id: "claimed" },
        { task_id: "delayed" },
        { task_id: "complete" },
        { task_id: "cancelled" },
        { task_id: "blocked", depends_on: ["ready"] },
      ],
    });
    // A lease as short as this is written at once.
    await coordinator.ok("tasks.claim.claimed", { session_id: "s1", ttl_seconds: 5 });
    await coordinator.ok("tasks.claim.delayed", { session_id: "s1" });
    await coordinator.ok("tasks.release.delayed", { session_id: "s1", status: "failed" });
    await complete(coordinator, "complete", "s1");
    await coordinator.ok("tasks.cancel.cancelled");
    await coordinator.ok("sessions.register.s1");
    await (await new Kvm(coordinator.connection).open("tasks")).put("broken", "[]");
    const stats = await coordinator.until("tasks.stats", (reply: Json) => reply.leases === 1);
    assert.deepEqual(stats.tasks, {
      blocked: 1,
      available: 2,
      claimed: 1,
      complete: 1,
      failed: 0,
      cancelled: 1,
    });
    const { total, ready, corrupt, sessions, worker } = stats;
    assert.deepEqual([total, ready, corrupt, sessions], [6, 1, 1, 1]);
    assert.match(worker.id as string, /^worker-/);
    assert.equal(worker.waiting, 0);
  });
});
