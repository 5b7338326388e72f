/** Runs the programs in examples/ as readers do, each on its own coordinator. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Example } from "./support/example.ts";
import { takePort } from "../scripts/lab/ports.ts";
import { type Json, TestCoordinator } from "./support/test-coordinator.ts";

async function run(name: string, coordinator: TestCoordinator): Promise<string[]> {
  await using example = new Example(name, coordinator.server.url);
  return await example.lines();
}

/** Each task with its status, its result, and the session that completed it. */
async function board(coordinator: TestCoordinator): Promise<Json> {
  const { tasks } = await coordinator.ok("tasks.list");
  const entry = ({ task_id, status, completed_by, claimed_by }: Json): Json => [
    task_id,
    [status, completed_by ?? claimed_by],
  ];
  return Object.fromEntries(tasks.map(entry));
}

describe("examples/basic-coordination.ts", () => {
  it("creates a task if there is none, completes it, and leaves it alone the next time", async () => {
    await using coordinator = await TestCoordinator.start();
    assert.deepEqual(await run("basic-coordination", coordinator), [
      "✅ Claimed P0.5.1",
      "✅ Completed P0.5.1",
    ]);
    assert.deepEqual(await board(coordinator), { "P0.5.1": ["complete", "session-1-ndi"] });
    assert.deepEqual(await run("basic-coordination", coordinator), [
      "⚠️ P0.5.1 already claimed by another session",
    ]);
  });

  it("does not take a task of another session", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.P0.5.1");
    await coordinator.ok("tasks.claim.P0.5.1", { session_id: "session-2" });
    const [line] = await run("basic-coordination", coordinator);
    assert.equal(line, "⚠️ P0.5.1 already claimed by another session");
    assert.deepEqual(await board(coordinator), { "P0.5.1": ["claimed", "session-2"] });
  });
});

describe("examples/real-time-monitoring.ts", () => {
  it("claims the blocked task as soon as its blocker is complete, and ends", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.P0.1.5");
    await coordinator.ok("tasks.create.P0.5.1", { depends_on: ["P0.1.5"] });
    await using example = new Example("real-time-monitoring", coordinator.server.url);
    await example.wrote("watching");
    const { attempt } = await coordinator.ok("tasks.claim.P0.1.5", { session_id: "session-5" });
    const release = { session_id: "session-5", attempt, status: "complete" };
    await coordinator.ok("tasks.release.P0.1.5", release);
    assert.deepEqual(await example.lines(), [
      "watching",
      "Task P0.1.5 now claimed",
      "Task P0.1.5 now complete",
      "🎉 Blocker P0.1.5 cleared!",
      "Task P0.5.1 now available",
      "Claiming P0.5.1...",
      "✅ Claimed P0.5.1",
    ]);
    assert.deepEqual(await board(coordinator), {
      "P0.1.5": ["complete", "session-5"],
      "P0.5.1": ["claimed", "session-1-ndi"],
    });
  });
});

describe("examples/multi-session.ts", () => {
  it("lets one session wait for the other", async () => {
    await using coordinator = await TestCoordinator.start();
    assert.deepEqual(await run("multi-session", coordinator), [
      "session 1 claims P0.5.1: false",
      "session 5 runs the integration tests",
      "session 1 writes the documentation",
    ]);
    assert.deepEqual(await board(coordinator), {
      "P0.1.5": ["complete", "session-5-cli"],
      "P0.5.1": ["complete", "session-1-ndi"],
    });
    const { task } = await coordinator.ok("tasks.get.P0.5.1");
    assert.equal(task.result, "docs/");
    assert.deepEqual(await run("multi-session", coordinator), ["session 1 claims P0.5.1: false"]);
  });
});

describe("every example", () => {
  for (const name of ["agent", "basic-coordination", "real-time-monitoring", "multi-session"]) {
    it(`says what is wrong without a NATS server, and ends: ${name}`, async () => {
      await using example = new Example(name, `nats://127.0.0.1:${await takePort()}`);
      const { code, stderr } = await example.output.exited;
      assert.equal(code, 1);
      assert.match(stderr, /^cannot connect to NATS at nats:.*: start a server/);
    });
  }

  it("works with several agents at once, and each takes its share", async () => {
    await using coordinator = await TestCoordinator.start();
    for (let i = 0; i < 20; i++) await coordinator.ok(`tasks.create.t${i}`, { title: `Task ${i}` });
    const outputs = await Promise.all([run("agent", coordinator), run("agent", coordinator)]);
    const lines = Array.from({ length: 20 }, (_, i) => `t${i}: Task ${i}`);
    assert.deepEqual(
      outputs
        .flat()
        .filter((line) => line !== "")
        .sort(),
      lines.sort(),
    );
    const { tasks } = await coordinator.ok("tasks.list", { status: ["complete"] });
    for (const { title, result } of tasks) assert.equal(result, `did "${title}"`);
    assert.equal(tasks.length, 20);
  });
});
