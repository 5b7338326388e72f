/**
 * A session that sends a request twice, or too late. Nothing is done twice, and a session that has lost a
 * task cannot end the claim of the session that has it now.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Attempts, MOST_REMEMBERED } from "../../src/client/attempts.ts";
import { TaskClient } from "../../src/client/task-client.ts";
import { createRequester } from "../../src/nats/request.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";
import { errorOf, losingAnswers, NotedLog } from "../support/stand-in.ts";

function clientOf(coordinator: TestCoordinator): TaskClient {
  return new TaskClient(createRequester(coordinator.connection));
}

/** A client that does not receive the answer to its first request. */
function forgetful(coordinator: TestCoordinator): TaskClient {
  return new TaskClient(losingAnswers(createRequester(coordinator.connection), 1));
}

/** Claims `a` for 1 s, and resolves when the lease has expired. */
async function loseLease(coordinator: TestCoordinator, client: TaskClient): Promise<void> {
  const expired = coordinator.fact("lease_expired", ({ taskId }) => taskId === "a");
  await client.claim("a", { session_id: "session-1", ttl_seconds: 1 });
  await expired;
}

describe("the attempt of a claim", () => {
  it("is sent with renew and release", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.create.b");
    const client = clientOf(coordinator);
    await client.claim("a", { session_id: "session-1" });
    const { claims } = await client.next({ session_id: "session-1" });
    assert.deepEqual(
      claims.map(({ task }) => task.task_id),
      ["b"],
    );
    // Without the attempt, these would apply to the current claims.
    for (const id of ["a", "b"]) {
      await coordinator.ok(`tasks.requeue.${id}`);
      await coordinator.ok(`tasks.claim.${id}`, { session_id: "session-1" });
      await errorOf(client.renew(id, { session_id: "session-1" }), "lease_lost");
      const release = { session_id: "session-1", status: "complete" } as const;
      await errorOf(client.release(id, release), "lease_lost");
      const { attempt } = await client.renew(id, { session_id: "session-1", attempt: 2 });
      assert.equal(attempt, 2);
    }
  });

  it("protects the session that has claimed the task since the lease was lost", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    const client = clientOf(coordinator);
    await loseLease(coordinator, client);
    // The same session, in another process.
    const { revision } = await clientOf(coordinator).claim("a", { session_id: "session-1" });

    for (const status of ["complete", "failed", "available"] as const) {
      const { message } = await errorOf(
        client.release("a", { session_id: "session-1", status }),
        "lease_lost",
      );
      assert.match(message, /its attempt is now 2/);
    }
    await errorOf(client.renew("a", { session_id: "session-1" }), "lease_lost");
    const { task, revision: now } = await clientOf(coordinator).get("a");
    assert.deepEqual([task.claimed_by, task.attempt, now], ["session-1", 2, revision]);
  });

  it("is the newest one if the session has claimed the task again", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    const client = clientOf(coordinator);
    await loseLease(coordinator, client);
    await client.claim("a", { session_id: "session-1" });
    const release = { session_id: "session-1", status: "complete" } as const;
    const { task } = await client.release("a", release);
    assert.deepEqual([task.status, task.attempt], ["complete", 2]);
  });

  it("is not needed to release the claim of another process", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await clientOf(coordinator).claim("a", { session_id: "session-1-crashed" });
    const release = { session_id: "session-1-crashed", status: "available" } as const;
    const { task } = await clientOf(coordinator).release("a", release);
    assert.deepEqual([task.status, task.claimed_by], ["available", null]);
  });
});

describe("the attempts of a process", () => {
  const attempts = new Attempts();
  const holder = { session_id: "s" };

  it("are remembered for each task and session", () => {
    attempts.remember("a", "s", 1);
    attempts.remember("b", "s", 2);
    attempts.remember("a", "t", 3);
    assert.deepEqual(attempts.addTo("a", holder), { session_id: "s", attempt: 1 });
    assert.deepEqual(attempts.addTo("b", holder), { session_id: "s", attempt: 2 });
    assert.deepEqual(attempts.addTo("a", { session_id: "t" }), { session_id: "t", attempt: 3 });
    assert.deepEqual(attempts.addTo("c", holder), holder);
    assert.deepEqual(attempts.addTo("a", { ...holder, attempt: 9 }), { ...holder, attempt: 9 });
  });

  it("are forgotten, the oldest first, when there are too many", () => {
    const many = new Attempts();
    many.remember("oldest", "s", 1);
    many.remember("used", "s", 1);
    for (let i = 2; i < MOST_REMEMBERED; i++) many.remember(`t${i}`, "s", 1);
    many.remember("used", "s", 2);
    many.remember("last", "s", 1);
    assert.deepEqual(many.addTo("oldest", holder), holder);
    for (const [id, attempt] of [
      ["used", 2],
      ["t2", 1],
      ["last", 1],
    ] as const) {
      assert.deepEqual(many.addTo(id, holder), { ...holder, attempt });
    }
  });

  it("are forgotten at the end of the claim, unless there is a newer attempt", () => {
    attempts.forget("a", "s", 7);
    assert.deepEqual(attempts.addTo("a", holder), { session_id: "s", attempt: 1 });
    attempts.forget("a", "s", 1);
    assert.deepEqual(attempts.addTo("a", holder), holder);
  });
});

describe("a request whose answer was lost", () => {
  it("creates one task, with or without an id", async () => {
    await using coordinator = await TestCoordinator.start();
    const definition = { title: "A", depends_on: ["b"], metadata: { x: 1, y: [2] } };
    const { task } = await forgetful(coordinator).create("a", definition);
    assert.deepEqual([task.task_id, task.status], ["a", "blocked"]);
    await forgetful(coordinator).create(undefined, { title: "without" });
    const { tasks } = await coordinator.ok("tasks.list");
    assert.deepEqual(tasks.map(({ title }: Json) => title).sort(), ["A", "without"]);
  });

  it("does not take the task of another client for its own", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a", { title: "theirs" });
    const create = forgetful(coordinator).create("a", { title: "ours" });
    const { task } = await errorOf(create, "already_exists");
    assert.equal((task as Json).title, "theirs");
  });

  it("claims a task once", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    const claim = await forgetful(coordinator).claim("a", { session_id: "session-1" });
    assert.deepEqual([claim.attempt, claim.already_held], [1, true]);
    assert.deepEqual(await coordinator.eventsOf("a"), ["task_created", "task_claimed"]);
  });

  it("releases a task once", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await clientOf(coordinator).claim("a", { session_id: "session-1" });
    const release = { session_id: "session-1", status: "failed", error: "x" } as const;
    const { task } = await forgetful(coordinator).release("a", release);
    assert.deepEqual([task.failures, task.error], [1, "x"]);
    const events = ["task_created", "task_claimed", "task_attempt_failed"];
    assert.deepEqual(await coordinator.eventsOf("a"), events);
  });

  it("gets the same tasks again", async () => {
    await using coordinator = await TestCoordinator.start();
    for (const id of ["a", "b", "c"]) await coordinator.ok(`tasks.create.${id}`);
    const { claims } = await forgetful(coordinator).next({ session_id: "session-1", max: 2 });
    assert.deepEqual(
      claims.map(({ task, attempt }) => [task.task_id, attempt]),
      [
        ["a", 1],
        ["b", 1],
      ],
    );
    const { task } = await clientOf(coordinator).get("c");
    assert.equal(task.status, "available");
  });
});

describe("a request that no worker received at first", () => {
  it("does not take an equal task for its own", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0 });
    const logger = new NotedLog();
    const client = new TaskClient(createRequester(coordinator.connection), { logger });
    const creations = [1, 2].map(() => client.create("a", { title: "A" }));
    await logger.noted("warn", /retrying/);
    await coordinator.addWorkers(1);
    const outcomes = await Promise.allSettled(creations);
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  });
});
