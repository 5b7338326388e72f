import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { headers } from "@nats-io/transport-node";
import { CliProcess, MAIN, runCli } from "../support/cli-process.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

const BEGINNING = ["--since", "beginning"] as const;

async function withTasks(options = {}): Promise<TestCoordinator> {
  const coordinator = await TestCoordinator.start(options);
  await coordinator.ok("tasks.create.P0.1", { title: "Write the\nparser" });
  await coordinator.ok("tasks.claim.P0.1", { session_id: "s1" });
  await coordinator.ok("tasks.release.P0.1", { session_id: "s1", status: "complete" });
  await coordinator.ok("tasks.create.P1.1", { session_id: "s2" });
  return coordinator;
}

/** The workers need a moment until they serve again. */
async function untilAnswered(coordinator: TestCoordinator, subject: string): Promise<void> {
  for (;;) {
    const reply = await coordinator.request(subject, {}, 1_000).catch(() => null);
    if (reply?.ok === true || reply?.error.code === "already_exists") return;
  }
}

describe("if-coordinator watch", () => {
  it("shows one line for each change, and ends when it has shown as many as asked for", async () => {
    await using coordinator = await withTasks();
    const args = ["watch", "--nats", coordinator.server.url];
    const { code, stdout, stderr } = await runCli([...args, ...BEGINNING, "--limit", "4"]);
    assert.deepEqual([code, stderr], [0, ""]);
    const time = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ";
    for (const [i, line] of [
      "1 created          P0\\.1       available -              Write the parser",
      "2 claimed          P0\\.1       claimed   s1         #1  Write the parser",
      "3 completed        P0\\.1       complete  s1         #1  Write the parser",
      "4 created          P1\\.1       available s2",
    ].entries()) {
      assert.match(stdout.split("\n")[i] ?? "", new RegExp(`^${time} {6}${line}$`));
    }
    assert.equal(stdout.split("\n").length, 5);

    const shown = async (...filters: readonly string[]): Promise<number[]> => {
      const result = await runCli([...args, "--jsonl", ...filters]);
      assert.deepEqual([result.code, result.stderr], [0, ""]);
      const documents = result.stdout.trimEnd().split("\n");
      return documents.map((line) => (JSON.parse(line) as { revision: number }).revision);
    };
    assert.deepEqual(await shown(...BEGINNING, "--limit", "1", "--prefix", "P1."), [4]);
    assert.deepEqual(await shown(...BEGINNING, "--limit", "1", "--task", "P1.1,P2.1"), [4]);
    assert.deepEqual(
      await shown(...BEGINNING, "--limit", "2", "--status", "claimed,complete"),
      [2, 3],
    );
    assert.deepEqual(await shown(...BEGINNING, "--limit", "1", "--type", "completed"), [3]);
    assert.deepEqual(await shown(...BEGINNING, "--limit", "1", "--mine", "--session", "s2"), [4]);
    assert.deepEqual(await shown("--limit", "2", "--since", "2"), [3, 4]);
    assert.deepEqual(await shown("--limit", "4", "--since", "1h"), [1, 2, 3, 4]);
    const mine = await runCli([...args, ...BEGINNING, "--jsonl", "--mine", "--limit", "2"], {
      env: { IF_COORDINATOR_SESSION: "s1" },
    });
    assert.equal(mine.stdout.match(/^{.*"session_id":"s1"/gm)?.length, 2);
  });

  it("shows what is of the coding agent that runs it, and of its subagents", async () => {
    await using coordinator = await TestCoordinator.start();
    const holders = ["claude-abc", "claude-abc.reviewer", "claude-abcd", "s1"];
    for (const [i, session_id] of holders.entries()) {
      await coordinator.ok(`tasks.create.t${i}`);
      await coordinator.ok(`tasks.claim.t${i}`, { session_id });
    }
    await coordinator.ok("tasks.cancel.t1");
    const args = ["watch", "--nats", coordinator.server.url, "--mine", ...BEGINNING];
    const { code, stdout } = await runCli([...args, "--limit", "3"], {
      env: { CLAUDE_CODE_SESSION_ID: "abc", IF_COORDINATOR_SESSION: "" },
    });
    assert.equal(code, 0);
    const shown = stdout.match(/ (?:created|claimed|cancel_requested) +t\d/g);
    const events = ["claimed t0", "claimed t1", "cancel_requested t1"];
    assert.deepEqual(
      shown?.map((text) => text.trim().replace(/ +/, " ")),
      events,
    );
  });

  it("waits with --retry until a coordinator answers", async () => {
    await using coordinator = await withTasks();
    await coordinator.server.kill();
    const args = ["watch", "--nats", coordinator.server.url, "--retry", ...BEGINNING];
    await using watch = new CliProcess([...args, "--limit", "4"]);
    await watch.waitFor(/waiting for a coordinator/);
    await coordinator.server.restart();
    const { code, stdout } = await watch.exited;
    assert.deepEqual([code, stdout.trimEnd().split("\n").length], [0, 4]);
  });

  it("follows live changes over a lost connection, until Ctrl-C", async () => {
    await using coordinator = await withTasks();
    await using watch = new CliProcess(["watch", "--nats", coordinator.server.url, "--since", "3"]);
    await watch.waitFor(/P1\.1/);
    await coordinator.ok("tasks.create.live");
    await watch.waitFor(/created +live/);
    await coordinator.server.kill();
    await watch.waitFor(/the connection to NATS is broken/);
    await coordinator.server.restart();
    await untilAnswered(coordinator, "tasks.create.after");
    await watch.waitFor(/created +after/);
    watch.interrupt();
    const { code, stdout, stderr } = await watch.exited;
    assert.equal(code, 130);
    assert.deepEqual(stdout.match(/P0\.1|P1\.1|live|after/g), ["P1.1", "live", "after"]);
    assert.match(stderr, /connected to NATS again/);
  });

  it("says that transitions are gone, and that a task was removed", async () => {
    await using coordinator = await withTasks({ settings: { history: 1 } });
    await using watch = new CliProcess([
      ...["watch", "--nats", coordinator.server.url, "--since", "beginning"],
    ]);
    await watch.waitFor(/P1\.1/);
    const marker = headers();
    marker.set("KV-Operation", "PURGE");
    marker.set("Nats-Rollup", "sub");
    coordinator.connection.publish("$KV.tasks.P1.1", "", { headers: marker });
    await watch.waitFor(/ 5 removed +P1\.1\n/);
    watch.interrupt();
    const { stderr } = await watch.exited;
    assert.match(stderr, /transitions before revision 3 are gone from the bucket/);
  });

  it("ends without an error when the reader has enough", async () => {
    await using coordinator = await withTasks();
    const watch = `'${process.execPath}' '${MAIN}' watch --nats ${coordinator.server.url} --since beginning`;
    const script = `${watch} | head -n 1; echo "\${PIPESTATUS[0]}"`;
    // The next line that it writes tells it that the pipe is closed.
    const writing = setInterval(() => void coordinator.request("tasks.create"), 50);
    try {
      const { stdout, stderr } = await promisify(execFile)("bash", ["-c", script]);
      assert.match(stdout, /created +P0\.1.*\n0\n$/);
      assert.equal(stderr, "");
    } finally {
      clearInterval(writing);
    }
  });

  it("says what is wrong with an option, and that there is no coordinator", async () => {
    await using coordinator = await TestCoordinator.start();
    const nats = ["--nats", coordinator.server.url];
    for (const [args, problem] of [
      [["--status", "done"], /done is none of blocked, available, claimed/],
      [["--type", "finished"], /task_finished is none of task_created/],
      [["--since", "yesterday"], /now, beginning, a revision such as 120, or a duration/],
      [["--since", "7"], /--since 7: the last revision is 0/],
      [["--mine"], /no session: give --session <id>/],
      [["--board", "--retry"], /cannot be used with option '--retry'/],
    ] as const) {
      const { code, stdout, stderr } = await runCli(["watch", ...nats, ...args]);
      assert.deepEqual([code, stdout], [2, ""], stderr);
      assert.match(stderr, problem);
    }
    const nobody = await runCli(["watch", "--nats", "nats://127.0.0.1:1", "--jsonl"]);
    assert.equal(nobody.code, 7);
    assert.equal((JSON.parse(nobody.stderr) as { ok: boolean }).ok, false);
  });
});
