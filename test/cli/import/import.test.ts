/** `import` against a real coordinator: what it does, prints and refuses, and how it ends. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CliProcess } from "../../support/cli-process.ts";
import { withFaults } from "../../support/faulty-stores.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { TestCoordinator } from "../../support/test-coordinator.ts";
import { Commands } from "./commands.ts";

const BOARD = `# Board

| ID | Task | Status | Owner | Depends on |
|---|---|---|---|---|
| P0.1 | Parse | ✅ done | s1 | - |
| P0.2 | Test \\| check | 🔄 in progress | s2 | P0.1 |
| P0.3 | Ship | 📋 BLOCKED | | P0.1-2, P9.9 |
`;

describe("import", () => {
  it("creates the tasks of a board, says what it did, and changes nothing when it is repeated", async () => {
    await using coordinator = await TestCoordinator.start();
    await using folder = await TempFolder.create();
    const commands = new Commands(coordinator, folder);
    await commands.file("board.md", BOARD);
    const WARNINGS =
      "warning: board.md:6:1: in progress: imported as open, because no session of this coordinator holds them: P0.2\n" +
      "warning: board.md:7:32: P9.9 does not exist: tasks that depend on it stay blocked until it is created and complete\n";

    const dryRun = await commands.run("import", "board.md", "--dry-run");
    assert.deepEqual(dryRun, {
      ...{ code: 0, signal: null, stderr: WARNINGS },
      stdout:
        "create     P0.1  Parse (complete)\ncreate     P0.2  Test | check\ncreate     P0.3  Ship\n" +
        "dry run: would create 3, 0 exist with another definition, 0 exist unchanged\n",
    });
    assert.equal((await coordinator.ok("tasks.stats")).total, 0);

    const first = await commands.run("import", "board.md");
    const created = "3 tasks: created 3, unchanged 0\n";
    assert.deepEqual(first, { code: 0, signal: null, stderr: WARNINGS, stdout: created });
    const { task } = await coordinator.ok("tasks.get.P0.1");
    assert.deepEqual(
      [task.status, task.completed_by, task.metadata],
      ["complete", "s1", { owner: "s1" }],
    );
    const { task: last } = await coordinator.ok("tasks.get.P0.3");
    assert.deepEqual([last.status, last.depends_on], ["blocked", ["P0.1", "P0.2", "P9.9"]]);

    const second = await commands.run("import", "board.md", "--json");
    assert.deepEqual([second.code, second.stderr], [0, ""]);
    const report = JSON.parse(second.stdout);
    assert.deepEqual([report.created, report.unchanged.length, report.total], [[], 3, 3]);
    assert.equal(report.warnings.length, 2);

    // From standard input, with other ids, to which the dependencies in the file refer.
    const piped = await commands.shell("$cli import - --prefix x/ < board.md");
    assert.deepEqual([piped.code, piped.stdout], [0, created]);
    assert.match(piped.stderr, /^warning: standard input:6:1: in progress/);
    assert.deepEqual((await coordinator.ok("tasks.get.x/P0.3")).task.depends_on, [
      "x/P0.1",
      "x/P0.2",
      "P9.9",
    ]);
  });

  it("refuses another definition, names the fields, and updates them when it is asked to", async () => {
    await using coordinator = await TestCoordinator.start();
    await using folder = await TempFolder.create();
    const commands = new Commands(coordinator, folder);
    await commands.file("t.csv", "id,title,tags\na,A,x\nb,B,\nc,C,\n");
    assert.equal((await commands.run("import", "t.csv")).code, 0);
    await coordinator.ok("tasks.cancel.c");
    await commands.file("t.csv", "id,title,tags,depends on\na,A2,,b\nb,B,,\nc,C2,,\n");

    const dryRun = await commands.run("import", "t.csv", "--dry-run");
    assert.deepEqual(
      [dryRun.code, dryRun.stdout.split("\n")[0]],
      [3, "differs    a  title, depends_on, tags"],
    );
    const refused = await commands.run("import", "t.csv");
    assert.match(refused.stderr, /--update gives tasks that differ the definition of the files/);
    assert.deepEqual(
      [refused.code, refused.stdout],
      [
        3,
        "3 tasks: created 0, unchanged 1, differing 2\ndiffers  a  title, depends_on, tags\ndiffers  c  title\n",
      ],
    );
    assert.equal((await coordinator.ok("tasks.get.a")).task.title, "A");

    await commands.file("done.csv", "id,title,status\nb,B,done\n");
    const done = await commands.run("import", "done.csv");
    assert.deepEqual(
      [done.code, done.stderr],
      [0, "warning: task b exists and is available: an import does not make it complete\n"],
    );

    const updated = await commands.run("import", "t.csv", "--update", "--json");
    assert.equal(updated.code, 3, updated.stderr);
    const report = JSON.parse(updated.stdout);
    assert.deepEqual(
      [report.updated, report.conflicting],
      [["a"], [{ task_id: "c", fields: ["title"], created_by: null }]],
    );
    assert.match(report.warnings[0].message, /^c is not updated: /);
    const { task } = await coordinator.ok("tasks.get.a");
    assert.deepEqual([task.title, task.tags, task.depends_on], ["A2", [], ["b"]]);
  });

  it("lists every problem of wrong files with exit code 2, and imports nothing", async () => {
    await using coordinator = await TestCoordinator.start();
    await using folder = await TempFolder.create();
    const commands = new Commands(coordinator, folder);
    await commands.file("good.json", '[{"task_id":"good"}]');
    await commands.file("bad.json", '[{"task_id":"a","priority":9},\n{"task_id":"b c"}]');
    await commands.file("broken.json", '[{"task_id":"a",}]');
    await commands.file("cycle.yaml", "- {id: a, deps: b}\n- {id: b, deps: a}\n");
    await commands.file("utf16.csv", Buffer.from("\ufeffid,title\n", "utf16le"));
    await commands.file("empty.md", "");
    await commands.file(
      "big.json",
      JSON.stringify([{ task_id: "big", payload: "x".repeat(2_000_000) }]),
    );
    const rows = Array.from({ length: 30 }, (_, i) => `T${i},huh\n`);
    await commands.file("many.csv", `id,status\n${rows.join("")}`);

    for (const [args, expected] of [
      [
        ["good.json", "bad.json"],
        "if-coordinator: nothing is imported, because the files have 2 problems:\n" +
          "bad.json:1:17: priority: must be between 0 (most urgent) and 4\n" +
          'bad.json:2:2: "b c" is not a task id',
      ],
      [["broken.json"], 'broken.json:1:16: remove the "," before "}"'],
      [
        ["cycle.yaml"],
        "cycle.yaml:1:11: the tasks depend on each other in a cycle: a (cycle.yaml:1:11) -> b",
      ],
      [["utf16.csv"], "utf16.csv: the file is UTF-16: save it as UTF-8"],
      [["empty.md"], "the files have no tasks\nwarning: empty.md: the file is empty"],
      [["big.json", "--dry-run"], "nothing is imported: big.json:1:3: big has 2000"],
      [["many.csv"], "and 10 more"],
      [
        ["no-such.md", "."],
        "no-such.md cannot be read: there is no such file\n. cannot be read: it is a folder",
      ],
      [["good.json", "good.json"], "good.json is named twice"],
      [
        ["good.json", "--format", "xml"],
        "Allowed choices are json, jsonl, yaml, csv, markdown, beads, task-master.",
      ],
      [["good.json", "--format", "yaml", "--prefix", "a b"], '"good" is not a task id'],
      [[], "missing required argument 'file'"],
    ] as const) {
      const { code, stdout, stderr } = await commands.run("import", ...args);
      assert.deepEqual([code, stdout], [2, ""], stderr);
      assert.ok(stderr.includes(expected), `${stderr}\ndoes not have\n${expected}`);
    }
    const json = await commands.run("import", "broken.json", "--json");
    const { error } = JSON.parse(json.stderr);
    assert.deepEqual([json.code, error.code], [2, "invalid_request"]);
    assert.equal((await coordinator.ok("tasks.stats")).total, 0);

    const away = await commands.run("import", "good.json", "--nats", "nats://127.0.0.1:1");
    assert.equal(away.code, 7, away.stderr);
  });

  it("says what is done when it is interrupted, and continues when it is run again", async () => {
    let isHeld = true;
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const wrapStores = withFaults({
      tasks: {
        write:
          (real) =>
          async (prepared, ...more) => {
            if (isHeld && prepared.task.taskId === "T1999") await released;
            return real.write(prepared, ...more);
          },
      },
    });
    await using coordinator = await TestCoordinator.start({ wrapStores });
    await using folder = await TempFolder.create();
    const commands = new Commands(coordinator, folder);
    const lines = Array.from({ length: 2_000 }, (_, i) => `{"task_id":"T${i}"}\n`);
    await commands.file("t.jsonl", lines.join(""));

    await using running = new CliProcess(["import", "t.jsonl"], commands.options);
    await coordinator.until("tasks.stats", ({ total }) => total === 1_999);
    running.interrupt();
    const { code, stdout, stderr } = await running.exited;
    assert.deepEqual(
      [code, stdout, stderr],
      [
        130,
        "",
        "if-coordinator: interrupted: created 1000, unchanged 0 of 2000; run the same command again to continue\n",
      ],
    );
    isHeld = false;
    release();
    const again = await commands.run("import", "t.jsonl", "--json");
    const report = JSON.parse(again.stdout);
    assert.equal(again.code, 0);
    assert.equal(new Set([...report.created, ...report.unchanged]).size, 2_000);
    assert.equal((await coordinator.ok("tasks.stats")).total, 2_000);
  });
});
