import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

/** Relative to the compiled test in dist/test/service. */
const EXAMPLE = new URL("../../../examples/provider-integration.json", import.meta.url);

async function revisionOf(coordinator: TestCoordinator): Promise<number> {
  return (await coordinator.ok("tasks.stats")).revision as number;
}

/** Sends an import that must be refused, and checks that it changed nothing. */
async function refusedImport(coordinator: TestCoordinator, tasks: Json[]): Promise<Json> {
  const error = await coordinator.refused("tasks.import", { tasks });
  const { total, revision } = await coordinator.ok("tasks.stats");
  assert.deepEqual([total, revision], [0, 0]);
  return error;
}

describe("importing the example project", () => {
  it("creates its 397 tasks, and changes nothing the second time", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 3 });
    const tasks = JSON.parse(await readFile(EXAMPLE, "utf8")) as Json[];
    const ids = tasks.map((task) => task.task_id as string);
    const first = await coordinator.ok("tasks.import", { tasks, session_id: "planner" });
    assert.deepEqual(first, {
      ok: true,
      created: ids,
      unchanged: [],
      conflicting: [],
      conflicts: [],
      warnings: [],
    });
    const stats = await coordinator.ok("tasks.stats");
    const free = tasks.filter((task) => task.depends_on.length === 0).length;
    assert.deepEqual([stats.total, stats.revision], [397, 397]);
    assert.deepEqual([stats.tasks.available, stats.tasks.blocked], [free, 397 - free]);

    const second = await coordinator.ok("tasks.import", { tasks });
    assert.deepEqual([second.created, second.unchanged, second.conflicting], [[], ids, []]);
    assert.equal(await revisionOf(coordinator), 397);
    const { task } = await coordinator.ok("tasks.get.P0.1.2");
    assert.equal(task.last_event.session_id, "planner");
    assert.deepEqual(task.depends_on, ["P0.1.1"]);
  });
});

describe("importing tasks that exist", () => {
  it("reports the task that differs, leaves it alone, and creates the others", async () => {
    await using coordinator = await TestCoordinator.start();
    const a = { task_id: "a", title: "A", metadata: { x: 1, y: { z: 2 } } };
    const b = { task_id: "b", title: "B", tags: ["t"] };
    await coordinator.ok("tasks.import", { tasks: [a, b] });
    const { created, unchanged, conflicting } = await coordinator.ok("tasks.import", {
      tasks: [
        { task_id: "c" },
        // The order of keys does not matter.
        { metadata: { y: { z: 2 }, x: 1 }, title: "A", task_id: "a" },
        { ...b, title: "B, changed" },
      ],
    });
    assert.deepEqual([created, unchanged, conflicting], [["c"], ["a"], ["b"]]);
    assert.equal((await coordinator.ok("tasks.get.b")).task.title, "B");
  });

  it("ignores their state", async () => {
    await using coordinator = await TestCoordinator.start();
    const tasks = [{ task_id: "claimed" }, { task_id: "complete" }];
    await coordinator.ok("tasks.import", { tasks });
    for (const { task_id } of tasks) await coordinator.ok(`tasks.claim.${task_id}`, session("s1"));
    await coordinator.ok("tasks.release.complete", { ...session("s1"), status: "complete" });
    const { unchanged } = await coordinator.ok("tasks.import", { tasks });
    assert.deepEqual(unchanged, ["claimed", "complete"]);
    assert.equal((await coordinator.ok("tasks.get.claimed")).task.claimed_by, "s1");
  });

  it("reports an unreadable record as conflicting, and leaves it alone", async () => {
    await using coordinator = await TestCoordinator.start();
    const bucket = await new Kvm(coordinator.connection).open("tasks");
    await bucket.put("broken", "no task");
    const { created, conflicting } = await coordinator.ok("tasks.import", {
      tasks: [{ task_id: "broken" }, { task_id: "fine" }],
    });
    assert.deepEqual([created, conflicting], [["fine"], ["broken"]]);
    assert.equal((await bucket.get("broken"))?.string(), "no task");
  });

  it("creates each task once when several imports run at the same time", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 3 });
    const tasks = Array.from({ length: 50 }, (_, i) => ({ task_id: `t${i}` }));
    const replies = await Promise.all(
      Array.from({ length: 4 }, () => coordinator.ok("tasks.import", { tasks })),
    );
    const created = replies.flatMap((reply) => reply.created as string[]);
    assert.deepEqual(created.sort(), tasks.map(({ task_id }) => task_id).sort());
    for (const reply of replies) {
      assert.equal([...reply.created, ...reply.unchanged].length, 50);
    }
    assert.equal(await revisionOf(coordinator), 50);
  });
});

describe("importing tasks with one invalid task", () => {
  it("refuses an id that is named twice, with its position", async () => {
    await using coordinator = await TestCoordinator.start();
    const error = await refusedImport(coordinator, ids("a", "b", "a"));
    assert.deepEqual([error.code, error.field], ["invalid_request", "tasks.2.task_id"]);
    assert.match(error.message, /a is named twice: remove or rename/);
  });

  it("refuses an unknown field, with its name and position", async () => {
    await using coordinator = await TestCoordinator.start();
    const error = await refusedImport(coordinator, [...ids("a"), { task_id: "b", prio: 1 }]);
    assert.deepEqual([error.code, error.field], ["invalid_request", "tasks.1.prio"]);
    assert.match(error.message, /unknown field "tasks\.1\.prio"/);
  });

  it("refuses an invalid value, with its position", async () => {
    await using coordinator = await TestCoordinator.start();
    const priority = await refusedImport(coordinator, [{ task_id: "a", priority: 5 }]);
    assert.equal(priority.field, "tasks.0.priority");
    assert.match(priority.message, /between 0 \(most urgent\) and 4/);
    const id = await refusedImport(coordinator, ids("fine", "not fine"));
    assert.equal(id.field, "tasks.1.task_id");
    const none = await refusedImport(coordinator, []);
    assert.match(none.message, /tasks: must name at least one task/);
  });

  it("refuses a cycle, with its path", async () => {
    await using coordinator = await TestCoordinator.start();
    const error = await refusedImport(coordinator, [
      { task_id: "free" },
      { task_id: "a", depends_on: ["b"] },
      { task_id: "b", depends_on: ["c", "free"] },
      { task_id: "c", depends_on: ["a"] },
    ]);
    assert.equal(error.code, "invalid_request");
    assert.deepEqual(error.cycle, ["a", "b", "c", "a"]);
    assert.match(error.message, /a -> b -> c -> a: remove one of them/);
  });

  it("refuses a cycle that leads through tasks that exist", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.old", { depends_on: ["new"] });
    const error = await coordinator.refused("tasks.import", {
      tasks: [{ task_id: "new", depends_on: ["old"] }],
    });
    assert.deepEqual(error.cycle, ["new", "old", "new"]);
    assert.equal(await revisionOf(coordinator), 1);
  });

  it("refuses a record that is too large", async () => {
    await using coordinator = await TestCoordinator.start({
      settings: { max_record_bytes: 2_048 },
    });
    const large = { task_id: "large", description: "x".repeat(3_000) };
    const error = await refusedImport(coordinator, [...ids("small"), large]);
    assert.deepEqual([error.code, error.limit], ["too_large", 2_048]);
    assert.match(error.message, /task large/);
  });
});

describe("importing tasks that depend on one that does not exist", () => {
  it("warns, and creates the tasks", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.existing");
    const { created, warnings } = await coordinator.ok("tasks.import", {
      tasks: [{ task_id: "a", depends_on: ["existing", "missing", "b"] }, { task_id: "b" }],
    });
    assert.deepEqual(created, ["a", "b"]);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] as string, /^task a depends on missing, which does not exist/);
    assert.equal((await coordinator.ok("tasks.get.a")).task.status, "blocked");
  });

  it("suggests an id that differs only in case, from the import or from before", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.Auth-Login");
    const tasks = [
      { task_id: "P0.1.1", depends_on: ["auth-login"] },
      { task_id: "P0.1.2", depends_on: ["p0.1.1"] },
      { task_id: "P0.1.3", depends_on: ["P0.1.1", "p0.9"] },
    ];
    const { warnings } = await coordinator.ok("tasks.import", { tasks });
    assert.match(
      warnings[0] as string,
      /auth-login, which does not exist \(did you mean Auth-Login\?\)/,
    );
    assert.match(warnings[1] as string, /p0.1.1, .* \(did you mean P0.1.1\?\)/);
    assert.match(warnings[2] as string, /p0.9, which does not exist: it stays blocked/);
  });

  it("lists the first warnings, and says how many more there are", async () => {
    await using coordinator = await TestCoordinator.start();
    const missing = Array.from({ length: 1_000 }, (_, i) => `missing-${i}`);
    const tasks = ["a", "b", "c"].map((task_id) => ({ task_id, depends_on: missing }));
    const { created, warnings } = await coordinator.ok("tasks.import", { tasks });
    assert.deepEqual(created, ["a", "b", "c"]);
    assert.equal(warnings.length, 21);
    assert.equal(warnings[20], "and 2980 more such dependencies");
  });
});

function ids(...names: string[]): Json[] {
  return names.map((task_id) => ({ task_id }));
}

function session(session_id: string): { session_id: string } {
  return { session_id };
}
