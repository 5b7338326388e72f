/** `task list` against a real coordinator: its forms, its filters, and many tasks. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type CliExit, MAIN, runCli } from "../../support/cli-process.ts";
import { TestCoordinator } from "../../support/test-coordinator.ts";

describe("task list", () => {
  it("shows the tasks that fit as a table, as lines of JSON and as one document", async () => {
    await using coordinator = await TestCoordinator.start();
    const list = (...args: string[]): Promise<CliExit> =>
      runCli(["task", "list", "--nats", coordinator.server.url, ...args]);

    const nothing = await list();
    assert.deepEqual([nothing.code, nothing.stdout], [0, ""]);
    assert.equal(nothing.stderr, "if-coordinator: no task found\n");
    assert.deepEqual(JSON.parse((await list("--json")).stdout), { ok: true, tasks: [] });

    await coordinator.ok("tasks.create.P0.1", { title: "Parse\n\u001b[31mdates", priority: 0 });
    await coordinator.ok("tasks.create.P0.2", { depends_on: ["P0.1"], tags: ["docs"] });
    await coordinator.ok("tasks.create.P1.1", { requires: ["gpu"], tags: ["docs", "x"] });
    await coordinator.ok("tasks.create.P1.2", { not_before: "2999-01-01T00:00:00Z" });
    await coordinator.ok("tasks.claim.P0.1", { session_id: "session-1" });

    const table = await list();
    assert.deepEqual([table.code, table.stderr], [0, ""]);
    const lines = table.stdout
      .replace(/\b\d+s *(?=\n|Parse)/g, "0s   ")
      .trimEnd()
      .split("\n");
    assert.deepEqual(
      lines.map((line) => line.trimEnd()),
      [
        "ID    STATUS     PRIORITY  HOLDER     AGE  TITLE",
        "P0.1  claimed    0         session-1  0s   Parse ␛[31mdates",
        "P0.2  blocked    2         -          0s",
        "P1.1  available  2         -          0s",
        "P1.2  available  2         -          0s",
      ],
    );

    const ids = async (...args: string[]): Promise<string[]> => {
      const { code, stdout, stderr } = await list("--jsonl", ...args);
      assert.deepEqual([code, stderr], [0, ""], stderr);
      return stdout
        .split("\n")
        .slice(0, -1)
        .map((line) => (JSON.parse(line) as { task_id: string }).task_id);
    };
    const filters: [args: string[], expected: string[]][] = [
      [
        ["--status", "blocked,claimed"],
        ["P0.1", "P0.2"],
      ],
      [
        ["--prefix", "P1."],
        ["P1.1", "P1.2"],
      ],
      [["--tag", "docs", "--tag", "x"], ["P1.1"]],
      [["--holder", "session-1"], ["P0.1"]],
      [["--mine", "--session", "session-2"], []],
      [["--ready"], ["P1.1"]],
      [["--ready", "--capability", "cpu"], []],
      [
        ["--capability", "cpu,gpu"],
        ["P0.1", "P0.2", "P1.1", "P1.2"],
      ],
      [
        ["--limit", "2"],
        ["P0.1", "P0.2"],
      ],
      [["--limit", "0"], []],
    ];
    const found = await Promise.all(filters.map(([args]) => ids(...args)));
    assert.deepEqual(
      found,
      filters.map(([, expected]) => expected),
    );

    const document = JSON.parse((await list("--json", "--prefix", "P0.")).stdout) as {
      tasks: { task_id: string; title: string }[];
    };
    assert.deepEqual(
      document.tasks.map(({ task_id: id }) => id),
      ["P0.1", "P0.2"],
    );
    assert.equal(document.tasks[0]?.title, "Parse\n\u001b[31mdates");
    const plain = await list("--no-headers", "--prefix", "P0.2");
    assert.match(plain.stdout, /^P0\.2 {2}blocked {2}2 {2}- {2}\d+s\n$/);

    const wrong = await list("--status", "done");
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /is none of blocked, available, /);
    assert.equal((await list("--mine")).code, 2, "no session");
    assert.equal((await list("--ready", "--status", "blocked")).code, 2);
  });

  it("prints many tasks in pages, and ends quietly when the reader has enough", async () => {
    await using coordinator = await TestCoordinator.start();
    const { url } = coordinator.server;
    const count = 2_500;
    const tasks = Array.from({ length: count }, (_, i) => ({
      task_id: `t${i}`,
      title: `Task ${i}`,
    }));
    await coordinator.ok("tasks.import", { tasks });

    const table = await runCli(["task", "list", "--nats", url]);
    const lines = table.stdout.trimEnd().split("\n");
    assert.equal(lines.length, 1 + count);
    assert.match(lines.at(-1) ?? "", /^t2499 +available +2 +- +\S+ +Task 2499$/);
    const json = await runCli(["task", "list", "--nats", url, "--json"]);
    assert.equal((JSON.parse(json.stdout) as { tasks: unknown[] }).tasks.length, count);

    const script = `"$0" "$1" task list --nats ${url} | head -2; echo "exit \${PIPESTATUS[0]}"`;
    const piped = await runCli([script, process.execPath, MAIN], { program: ["bash", "-c"] });
    assert.match(piped.stdout, /^ID .*\nt0 .*\nexit 0\n$/);
    assert.equal(piped.stderr, "");
  });
});
