/** `export` against a real coordinator. What it writes is what `import` reads. */
import assert from "node:assert/strict";
import { readdir, readFile, readlink, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { TempFolder } from "../../support/temp-folder.ts";
import { TestCoordinator } from "../../support/test-coordinator.ts";
import { Commands } from "./commands.ts";

describe("export", () => {
  it("writes every format so that import finds the same tasks", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { max_failures: 5 } });
    await using folder = await TempFolder.create();
    const commands = new Commands(coordinator, folder);
    const tasks = [
      {
        task_id: "P0.1",
        title: 'a|b "c"\n=1',
        description: "",
        status: "complete",
        result: { n: 1 },
        completed_by: "s1",
      },
      {
        task_id: "P0.2",
        title: "ünï 🔄",
        depends_on: ["P0.1"],
        requires: ["gpu, big"],
        tags: ["x", "-"],
      },
      {
        task_id: "P0.3",
        priority: 0,
        payload: { __a: [null, "\u0001"] },
        max_failures: 7,
        max_lost_leases: 0,
      },
      {
        task_id: "P0.4",
        title: "- [ ] x",
        metadata: { k: "v|" },
        not_before: "2999-01-01T00:00:00.000Z",
      },
      { task_id: "P0.5", status: "cancelled" },
    ];
    await coordinator.ok("tasks.import", { tasks });
    for (const name of ["t.json", "t.jsonl", "t.yaml", "t.csv", "t.md"]) {
      const exported = await commands.run("export", "--output", name);
      const wrote = `if-coordinator: wrote 5 tasks to ${name}\n`;
      assert.deepEqual(exported, { code: 0, signal: null, stdout: "", stderr: wrote });
      const again = await commands.run("import", name);
      const same = "5 tasks: created 0, unchanged 5\n";
      assert.deepEqual(again, { code: 0, signal: null, stdout: same, stderr: "" }, name);
    }
    const file = await readFile(join(folder.path, "t.json"), "utf8");
    const byId = (json: string): string[] =>
      (JSON.parse(json) as { task_id: string }[]).map(({ task_id }) => task_id);
    assert.deepEqual(
      byId(file).sort(),
      tasks.map(({ task_id }) => task_id),
    );
    const { task } = await coordinator.ok("tasks.get.P0.4");
    assert.equal(task.max_failures, 5);

    const filtered = await commands.run(
      "export",
      "--prefix",
      "P0.",
      "--status",
      "complete,cancelled",
    );
    assert.deepEqual(byId(filtered.stdout).sort(), ["P0.1", "P0.5"]);
    assert.equal((await commands.run("export", "--tag", "none")).stdout, "[]\n");
    const none = await commands.run("export", "--prefix", "none", "--format", "yaml");
    assert.equal(none.stdout, "[]\n");

    // Nothing is left of a file that cannot be written.
    const unwritable = await commands.run("export", "-o", "no-such-folder/t.json");
    assert.equal(unwritable.code, 2);
    assert.match(unwritable.stderr, /^if-coordinator: no-such-folder\/t\.json cannot be written: /);
    assert.equal((await commands.run("export", "-o", ".")).code, 2);
    assert.deepEqual((await readdir(folder.path)).sort(), [
      "t.csv",
      "t.json",
      "t.jsonl",
      "t.md",
      "t.yaml",
    ]);

    const link = join(folder.path, "link.json");
    await symlink("t.json", link);
    assert.equal((await commands.run("export", "-o", "link.json")).code, 0);
    assert.equal(await readlink(link), "t.json");
    // The shell keeps the pipe open, so that no end of it waits for the other.
    const piped = await commands.shell("mkfifo p; exec 3<>p; $cli export -o p && test -p p");
    assert.equal(piped.code, 0, piped.stderr);

    await coordinator.ok("tasks.claim.P0.2", { session_id: "s2", capabilities: ["gpu, big"] });
    const claimed = await commands.run("export", "--format", "csv", "--prefix", "P0.2");
    assert.equal(
      claimed.stderr,
      "if-coordinator: 1 claimed: an import creates them as open tasks\n",
    );
    assert.match(claimed.stdout, /^P0\.2,ünï 🔄,claimed,s2,/m);
  });

  it("prints thousands of tasks page by page, and ends quietly when its reader does", async () => {
    await using coordinator = await TestCoordinator.start();
    await using folder = await TempFolder.create();
    const commands = new Commands(coordinator, folder);
    for (const part of [0, 1, 2]) {
      const tasks = Array.from({ length: 800 }, (_, i) => ({
        task_id: `T${part}.${i}`,
        title: "x".repeat(200),
      }));
      await coordinator.ok("tasks.import", { tasks });
    }
    const all = await commands.shell("$cli export --format jsonl | wc -l");
    assert.deepEqual([all.code, all.stdout.trim(), all.stderr], [0, "2400", ""]);
    const head = await commands.shell("$cli export --format jsonl | head -n 1");
    assert.deepEqual([head.code, head.stderr], [0, ""]);
    assert.match(head.stdout, /^\{"task_id":"T0\.\d+",.*\}\n$/);
    const copied = await commands.shell("$cli export | $cli import - --dry-run | tail -n 1");
    assert.equal(
      copied.stdout,
      "dry run: would create 0, 0 exist with another definition, 2400 exist unchanged\n",
    );
  });
});
