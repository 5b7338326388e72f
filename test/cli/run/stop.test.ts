/** How `if-coordinator run` stops a command: signals, lost leases, cancelled tasks. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { CliProcess, MAIN } from "../../support/cli-process.ts";
import { startRun } from "../../support/run-command.ts";
import { pipeIn } from "../../support/named-pipe.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { type Json, TestCoordinator } from "../../support/test-coordinator.ts";

/** Says when it runs and when it is asked to stop, and then ends with the exit code. */
function waiting(code: number): string {
  return `trap 'echo asked to stop; exit ${code}' INT TERM HUP; sleep 1000 & echo ready; wait`;
}

const STUBBORN = "trap '' INT TERM HUP; echo ready; while :; do sleep 1; done";

async function taskOf(coordinator: TestCoordinator, id: string): Promise<Json> {
  return (await coordinator.ok(`tasks.get.${id}`)).task;
}

function reportIn(stdout: string): Json {
  return JSON.parse(stdout);
}

/** Sends one signal after the other. Of signals in quick succession, as npx sends them, only the first counts. */
async function signalUntilEnd(run: CliProcess): Promise<void> {
  do run.kill("SIGINT");
  while ((await Promise.race([run.exited, delay(400)])) === undefined);
}

describe("a signal to run", () => {
  it("is passed on, and the task is given back", async () => {
    await using coordinator = await TestCoordinator.start();
    const stopped = [
      ["SIGINT", 130],
      ["SIGTERM", 143],
      ["SIGHUP", 143],
    ] as const;
    for (const [signal, code] of stopped) {
      await coordinator.ok(`tasks.create.${signal}`);
      await using run = startRun(coordinator, ["--prefix", signal], waiting(1));
      await run.waitFor(/ready/);
      run.kill(signal);
      const end = await run.exited;
      assert.equal(end.code, code, end.stderr);
      assert.equal(end.stdout, "ready\nasked to stop\n");
      const { status, failures, last_event: event } = await taskOf(coordinator, signal);
      assert.deepEqual([status, failures], ["available", 0]);
      assert.equal(event.reason, `the worker was stopped by ${signal}`);
    }
    assert.deepEqual((await coordinator.ok("sessions.list")).sessions, []);
  });

  it("lets the command complete its task, or kills it when the grace is over", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await using patient = startRun(coordinator, [], waiting(0));
    await patient.waitFor(/ready/);
    patient.kill("SIGTERM");
    assert.equal((await patient.exited).code, 143);
    const { status, result } = await taskOf(coordinator, "a");
    assert.deepEqual([status, result], ["complete", "asked to stop"]);

    await coordinator.ok("tasks.create.b");
    await using short = startRun(coordinator, ["--grace", "100ms"], STUBBORN);
    await short.waitFor(/ready/);
    short.kill("SIGTERM");
    assert.equal((await short.exited).code, 143);
    assert.equal((await taskOf(coordinator, "b")).status, "available");
  });

  it("kills the command if it is the second one", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await using run = startRun(coordinator, ["--grace", "1h"], STUBBORN);
    await run.waitFor(/ready/);
    run.kill("SIGINT");
    await run.waitFor(/a second signal kills it/);
    await signalUntilEnd(run);
    assert.equal((await run.exited).code, 130);
    assert.equal((await taskOf(coordinator, "a")).failures, 0);
  });

  it("ends run at once if it is the third one, although the coordinator does not answer", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await using run = startRun(coordinator, ["--grace", "1h"], STUBBORN);
    await run.waitFor(/ready/);
    await coordinator.server.kill();
    await signalUntilEnd(run);
    assert.equal((await run.exited).code, 130);
  });

  it("ends the command if it is SIGKILL, and removes the files of the task", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await using folder = await TempFolder.create();
    const pipe = pipeIn(folder);
    // The pipe has its end when no process of the command is left.
    const closed = readFile(pipe, "utf8");
    const script = `exec 3>'${pipe}'; echo "file $TASK_FILE"; sleep 1000 & wait`;
    await using run = startRun(coordinator, [], script);
    const [, file = ""] = await run.waitFor(/file (.*)/);
    assert.ok(existsSync(file));
    run.kill("SIGKILL");
    await closed;
    while (existsSync(file)) await delay(10);
  });

  it("stops it while it waits, also if nobody reads its output any longer", async () => {
    await using coordinator = await TestCoordinator.start();
    await using idle = startRun(coordinator, [], "true");
    await coordinator.until("sessions.list", ({ sessions }) => sessions.length === 1);
    idle.kill("SIGTERM");
    assert.equal((await idle.exited).code, 143);

    await coordinator.ok("tasks.create.a");
    const command = `trap 'exit 1' TERM; while :; do echo line; sleep 0.01; done`;
    const pipeline = `{ "$@"; echo "code $?" >&2; } | head -n 1`;
    const args = ["run", "--nats", coordinator.server.url, "--", "sh", "-c", command];
    const program = ["sh", "-c", pipeline, "sh", process.execPath, MAIN] as const;
    await using unread = new CliProcess(args, { program });
    const { stdout, stderr } = await unread.exited;
    assert.equal(stdout, "line\n");
    assert.match(stderr, /^code 143$/m);
    assert.equal((await taskOf(coordinator, "a")).status, "available");
  });
});

describe("the command of a task", () => {
  it("is stopped when the task is cancelled", async () => {
    await using coordinator = await TestCoordinator.start();
    for (const [code, expected] of [
      [1, "cancelled"],
      [0, "complete"],
    ] as const) {
      await coordinator.ok(`tasks.create.${expected}`);
      await using run = startRun(coordinator, ["--once"], waiting(code));
      await run.waitFor(/ready/);
      await coordinator.ok(`tasks.cancel.${expected}`);
      const end = await run.exited;
      assert.equal(end.code, code === 0 ? 0 : 4, end.stderr);
      assert.equal((await taskOf(coordinator, expected)).status, expected);
    }
  });

  it("is stopped when the session loses the task, and its result does not count", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await using run = startRun(coordinator, ["--once", "--jsonl"], waiting(0));
    await run.waitFor(/ready/);
    await coordinator.ok("tasks.requeue.a", { reason: "taken\r\u001b]0;title\u0007" });
    await coordinator.ok("tasks.claim.a", { session_id: "other" });
    const { code, stdout, stderr } = await run.exited;
    assert.equal(code, 4, stderr);
    assert.equal(reportIn(stdout).outcome, "lost");
    assert.match(stderr, /^asked to stop$/m);
    assert.match(stderr, /^if-coordinator: lost a after /m);
    // The words of others cannot command the terminal.
    assert.match(stderr, /taken ␛\]0;title␇/);
    assert.doesNotMatch(stderr, /[\r\u0007\u001b]/);
    const { claimed_by: holder, status } = await taskOf(coordinator, "a");
    assert.deepEqual([holder, status], ["other", "claimed"]);
  });

  it("is stopped when another process takes over the session, and run ends", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await using first = startRun(coordinator, ["-s", "s1"], waiting(1));
    await first.waitFor(/ready/);
    await using second = startRun(coordinator, ["-s", "s1"], waiting(1));
    const { code, stdout, stderr } = await first.exited;
    assert.equal(code, 4, stderr);
    assert.match(stdout, /asked to stop/);
    assert.match(stderr, /^if-coordinator: .*another instance/m);
    await second.waitFor(/ready/);
    assert.equal((await taskOf(coordinator, "a")).attempt, 2);
  });

  it("is stopped when run continues after it was paused for longer than the lease", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await using run = startRun(coordinator, ["--once", "--ttl", "1s"], waiting(0));
    await run.waitFor(/ready/);
    run.kill("SIGSTOP");
    await coordinator.until("tasks.get.a", ({ task }) => task.status === "available");
    run.kill("SIGCONT");
    const { code, stderr } = await run.exited;
    assert.equal(code, 4, stderr);
    assert.match(stderr, /^if-coordinator: lost a after /m);
  });

  it("goes on while NATS is away, and run continues afterwards", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a", { title: "During" });
    await using folder = await TempFolder.create();
    const pipe = pipeIn(folder);
    const script = `echo ready; read -r line <'${pipe}'; echo "did $TASK_ID"`;
    await using run = startRun(coordinator, [], script);
    await run.waitFor(/ready/);
    await coordinator.server.kill();
    await writeFile(pipe, "go\n");
    await run.waitFor(/did a/);
    await coordinator.server.restart();
    await run.waitFor(/completed a in/);
    await coordinator.ok("tasks.create.b");
    await writeFile(pipe, "go\n");
    await run.waitFor(/completed b in/);
    run.kill("SIGTERM");
    assert.equal((await run.exited).code, 143);
  });
});
