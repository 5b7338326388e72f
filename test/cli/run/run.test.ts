/** `if-coordinator run`: what a command gets, and what its end means for the task. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { runCli } from "../../support/cli-process.ts";
import { runToEnd, startRun } from "../../support/run-command.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { type Json, TestCoordinator } from "../../support/test-coordinator.ts";

async function taskOf(coordinator: TestCoordinator, id: string): Promise<Json> {
  return (await coordinator.ok(`tasks.get.${id}`)).task;
}

describe("a command of run", () => {
  it("gets the task in variables, in a file and as its input, and can call if-coordinator", async () => {
    await using coordinator = await TestCoordinator.start();
    const payload = { text: "x".repeat(60_000) };
    await coordinator.ok("tasks.create.a", { title: "One\ntwo\0three", payload });
    const script = `
      cmp - "$TASK_FILE" &&
      printf '%s|' "$TASK_ID" "$TASK_TITLE" "$TASK_ATTEMPT" "$IF_COORDINATOR_SESSION" >"$TASK_RESULT_FILE" &&
      test "$TASK_FENCING_TOKEN" -gt 0 &&
      $cli task get "$TASK_ID" --json | grep -q '"claimed_by": "s1"' &&
      ls -l "$TASK_FILE" &&
      { $cli run --quiet --once --wait 0 -- true 2>/dev/null; test $? = 5; } &&
      echo "problem" >&2`;
    const { code, stdout, stderr } = await runToEnd(coordinator, ["--once", "-s", "s1"], script);
    assert.equal(code, 0, stderr);
    // Nobody else may read the task.
    assert.match(stdout, /^-rw------- .*task\.json\n$/);
    assert.match(
      stderr,
      /^if-coordinator: claimed a: One two.three\nproblem\nif-coordinator: completed a in [\d.]+s\n$/u,
    );
    const task = await taskOf(coordinator, "a");
    assert.equal(task.result, "a|One two␀three|1|s1|");
    assert.equal(task.completed_by, "s1");
    assert.deepEqual((await coordinator.ok("sessions.list")).sessions, []);
  });

  it("decides by its exit code how the task ends", async () => {
    await using coordinator = await TestCoordinator.start();
    for (const id of ["code-0", "code-1", "code-65", "code-75", "killed"]) {
      await coordinator.ok(`tasks.create.${id}`, { title: id, max_failures: 1 });
    }
    const script = `
      echo "about $TASK_ID" >&2
      case $TASK_ID in killed) kill -KILL $$ ;; *) echo '{"pages":3}'; exit "\${TASK_ID#code-}" ;; esac`;
    const options = ["--jsonl", "--wait", "0", "--retry-delay", "1h"];
    const { code, stdout, stderr } = await runToEnd(coordinator, options, script);
    assert.equal(code, 1, stderr);
    const reports = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const outcomes = reports.map(({ task_id, outcome, exit_code, signal }) => [
      task_id,
      outcome,
      exit_code,
      signal,
    ]);
    assert.deepEqual(outcomes, [
      ["code-0", "completed", 0, null],
      ["code-1", "failed", 1, null],
      ["code-65", "failed", 65, null],
      ["code-75", "given_back", 75, null],
      ["killed", "failed", null, "SIGKILL"],
    ]);
    // With --jsonl, what the commands write goes to standard error.
    assert.match(stderr, /^\{"pages":3\}$/m);
    assert.match(
      stderr,
      /^if-coordinator: gave back code-75 after [\d.]+s: exit code 75; it can be claimed again in 3600 s$/m,
    );
    assert.match(stderr, /^if-coordinator: done: 1 completed, 3 failed, 1 given back$/m);
    assert.deepEqual((await taskOf(coordinator, "code-0")).result, { pages: 3 });
    const failed = await taskOf(coordinator, "code-1");
    assert.deepEqual(
      [failed.status, failed.error],
      ["failed", { message: "exit code 1", exit_code: 1, stderr: "about code-1" }],
    );
    assert.equal((await taskOf(coordinator, "code-65")).status, "failed");
    const later = await taskOf(coordinator, "code-75");
    assert.deepEqual(
      [later.status, later.failures, later.last_event.reason],
      ["available", 0, "exit code 75"],
    );
    assert.ok(Date.parse(later.not_before) > Date.now() + 3_000_000);
    const { error } = await taskOf(coordinator, "killed");
    assert.deepEqual(error, {
      message: "ended by SIGKILL",
      signal: "SIGKILL",
      stderr: "about killed",
    });
  });

  it("loses no result silently", async () => {
    await using coordinator = await TestCoordinator.start();
    const scripts = {
      folder: 'mkdir "$TASK_RESULT_FILE"',
      large: 'head -c 100000 /dev/zero | tr "\\0" x >"$TASK_RESULT_FILE"',
      binary: 'printf "\\377\\376" >"$TASK_RESULT_FILE"',
      empty: 'echo log; : >"$TASK_RESULT_FILE"',
      lines: 'printf "\\377 log\\nlast line, without a line end"',
      long: 'head -c 50000 /dev/zero | tr "\\0" x',
      nothing: "true",
    };
    for (const id of Object.keys(scripts)) await coordinator.ok(`tasks.create.${id}`);
    // The rest of this record has no room for the last line of the output.
    await coordinator.ok("tasks.create.full", { payload: "x".repeat(64_000) });
    const cases = Object.entries({ ...scripts, full: "head -c 5000 /dev/zero | tr '\\0' x" });
    const script = `case $TASK_ID in ${cases.map(([id, body]) => `${id}) ${body} ;;`).join("\n")} esac`;
    const options = ["--until-empty", "--concurrency", "4"];
    const { code, stderr } = await runToEnd(coordinator, options, script);
    assert.equal(code, 1, stderr);
    const { tasks } = await coordinator.ok("tasks.list");
    const ends = Object.fromEntries(
      tasks.map(({ task_id, status, result, error }: Json) => [
        task_id,
        [status, status === "failed" ? error.message : result],
      ]),
    );
    assert.match(ends.large[1], /^the result of large can never be stored/);
    assert.match(ends.binary[1], /^the result file is not text in UTF-8/);
    assert.ok(/^…x{30000}/.test(ends.long[1]), "the end of the long line");
    assert.match(
      stderr,
      /^if-coordinator: completed long in [\d.]+s: only the end of its last line/m,
    );
    assert.match(
      stderr,
      /^if-coordinator: completed full in [\d.]+s: its last line of output was not stored/m,
    );
    assert.deepEqual(ends.folder, ["failed", "the result file is not a file"]);
    assert.deepEqual(ends.empty, ["complete", null]);
    assert.deepEqual(ends.lines, ["complete", "last line, without a line end"]);
    assert.deepEqual(ends.nothing, ["complete", null]);
    assert.deepEqual(ends.full, ["complete", null]);
  });

  it("may end its task itself, and is not stopped for that", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    const script = `
      $cli task renew "$TASK_ID" --progress 50 --json >/dev/null &&
      $cli task complete "$TASK_ID" --result "by itself" &&
      sleep 0.3 && echo "cleaned up"; exit 9`;
    const { code, stdout, stderr } = await runToEnd(coordinator, ["--once"], script);
    assert.equal(code, 0, stderr);
    assert.equal(stdout, "a is complete\ncleaned up\n");
    assert.match(stderr, /completed a in [\d.]+s: the command has ended the task itself/);
    assert.equal((await taskOf(coordinator, "a")).result, "by itself");
  });
});

describe("run", () => {
  it("ends when no task is left that it could do, also not later", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a", { tags: ["x"] });
    await coordinator.ok("tasks.create.b", { depends_on: ["a", "held"], tags: ["x"] });
    await coordinator.ok("tasks.create.held", { tags: ["x"] });
    // Neither is for this session.
    await coordinator.ok("tasks.create.other");
    await coordinator.ok("tasks.create.gpu", { requires: ["gpu"], tags: ["x"] });
    await coordinator.ok("tasks.claim.held", { session_id: "other" });
    const options = ["--until-empty", "--tag", "x", "--capability", "cpu,python"];
    await using run = startRun(coordinator, options, 'echo "did $TASK_ID"');
    await run.waitFor(/waiting for tasks that are not ready, such as \w+ \(\w+( by other)?\)/);
    await coordinator.ok("tasks.release.held", { session_id: "other", status: "complete" });
    const { code, stdout, stderr } = await run.exited;
    assert.equal(code, 0, stderr);
    assert.equal(stdout, "did a\ndid b\n");
    assert.match(stderr, /^if-coordinator: done: 2 completed$/m);
    // A task that waits for a failed one is not waited for, but it is not done either.
    await coordinator.ok("tasks.create.bad", { max_failures: 1, tags: ["y"] });
    await coordinator.ok("tasks.create.after", { depends_on: ["bad"], tags: ["y"] });
    const failing = await runToEnd(coordinator, ["--until-empty", "--tag", "y"], "exit 1");
    assert.equal(failing.code, 1);
    assert.match(
      failing.stderr,
      /^if-coordinator: a task is left that waits for a failed or cancelled task: after$/m,
    );
    const again = await runToEnd(coordinator, ["--until-empty", "--tag", "y"], "exit 1");
    assert.equal(again.code, 1);
  });

  it("does one task with --once, and says by its exit code how that ended", async () => {
    await using coordinator = await TestCoordinator.start();
    const once = ["--once", "--wait", "0", "--quiet"];
    for (const [script, expected] of [
      ["true", 0],
      ["exit 3", 1],
      ["exit 75", 1],
      ['printf "no line end" >&2; exit 65', 1],
    ] as const) {
      await coordinator.ok("tasks.create", { title: script, max_failures: 1 });
      const { code, stdout, stderr } = await runToEnd(coordinator, once, script);
      assert.equal(code, expected, stderr);
      assert.equal(stdout, "");
      assert.equal(stderr, script.startsWith("printf") ? "no line end" : "");
    }
    const { code, stderr } = await runToEnd(coordinator, once, "true");
    assert.equal(code, 5);
    assert.equal(stderr, "if-coordinator: no task came in time\n");
    const json = await runToEnd(coordinator, [...once, "--jsonl"], "true");
    assert.deepEqual(JSON.parse(json.stderr), {
      ok: false,
      error: { code: "nothing_to_do", message: "no task came in time" },
    });
  });

  it("refuses a command that cannot be started, and claims nothing for it", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    const nats = ["--nats", coordinator.server.url];
    for (const [args, message] of [
      [
        [...nats, "--", "no-such-program"],
        /cannot start no-such-program: there is no such program on the PATH/,
      ],
      [[...nats, "--", "/etc/passwd"], /cannot start \/etc\/passwd: .*chmod \+x/],
      [
        [...nats, "--once", "--until-empty", "--", "true"],
        /--once and --until-empty: use one of them/,
      ],
      [[...nats, "--concurrency", "0", "--", "true"], /--concurrency must be from 1 to 1000/],
      [[...nats, "--retry-delay", "31d", "--", "true"], /--retry-delay must be at most 30d/],
      [[...nats, "--session", "two words", "--", "true"], /session/],
      [[...nats, "--ttl", "100d", "--", "true"], /--ttl: must be between 1 and 86400/],
      [nats, /missing required argument 'command'/],
    ] as const) {
      const { code, stdout, stderr } = await runCli(["run", ...args]);
      assert.equal(code, 2, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n\s+at /);
    }
    // The program is there, but not the interpreter that it names.
    const script = "#!/nonexistent/interpreter\n";
    await using folder = await TempFolder.create();
    const path = join(folder.path, "agent");
    await writeFile(path, script, { mode: 0o755 });
    const { code, stderr } = await runCli(["run", ...nats, "--", path]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /cannot start .*agent \(ENOENT\): /);
    const { status, failures } = await taskOf(coordinator, "a");
    assert.deepEqual([status, failures], ["available", 0]);
    const none = await runCli(["run", "--nats", "nats://127.0.0.1:9", "--", "true"]);
    assert.equal(none.code, 7, none.stderr);
  });
});
