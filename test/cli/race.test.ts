import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatRace } from "../../src/cli/race/format-race.ts";
import { type Heat, type RaceReport, reportOf } from "../../src/cli/race/figures.ts";
import { CliProcess, runCli } from "../support/cli-process.ts";
import { respond } from "../support/stand-in.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

function to(coordinator: TestCoordinator, ...args: string[]): string[] {
  return ["race", "--nats", coordinator.server.url, ...args];
}

/** Resolves when a session has won a task of a race that is under way. */
async function untilClaimed({ connection }: TestCoordinator): Promise<void> {
  const updates = connection.subscribe("task-updates.>");
  for await (const update of updates) if (update.string().includes('"task_claimed"')) break;
}

async function ids(coordinator: TestCoordinator): Promise<string[]> {
  const { tasks } = await coordinator.ok("tasks.list");
  return tasks.map(({ task_id: id }: { task_id: string }) => id);
}

describe("the command race", () => {
  it("has one winner for each task, gives none to others, and leaves nothing behind", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 3 });
    const agent = coordinator.ok("tasks.next", { session_id: "agent", wait_seconds: 60 });
    const { code, stdout, stderr } = await runCli(
      to(coordinator, "--tasks", "20", "--sessions", "15", "--json"),
    );
    assert.equal(code, 0, stderr);
    const report = JSON.parse(stdout) as RaceReport;
    const { name } = report;
    assert.equal(stderr, `${name}: 15 sessions claim each of 20 tasks ...\n`);
    assert.match(name, /^race-[0-9a-f]{6}$/);
    assert.equal(report.passed, true);
    assert.deepEqual(report.winners, { one: 20, none: 0, several: 0 });
    assert.deepEqual([report.claims, report.violations, report.left_behind], [300, [], []]);
    assert.deepEqual(report.refusals, { already_claimed: 280 });
    const { p50, p95, p99, max } = report.latency_ms;
    assert.ok(p50 !== null && p95 !== null && p99 !== null && max !== null);
    assert.ok(0 < p50 && p50 <= p95 && p95 <= p99 && p99 <= max);

    assert.deepEqual(await ids(coordinator), []);
    assert.deepEqual((await coordinator.ok("sessions.list")).sessions, []);
    await coordinator.ok("tasks.create.real");
    assert.deepEqual((await agent).claims[0].task.task_id, "real");
    const { code: history } = await coordinator.refused(`tasks.history.${name}-1`);
    assert.equal(history, "not_found");
  });

  it("removes everything when it is interrupted", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 1 });
    for (const [signal, exitCode] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const) {
      const claimed = untilClaimed(coordinator);
      await using cli = new CliProcess(to(coordinator, "--tasks", "500", "--sessions", "3"));
      await claimed;
      cli.kill(signal);
      const { code, stdout, stderr } = await cli.exited;
      assert.equal(code, exitCode, stderr);
      assert.equal(stdout, "");
      assert.match(
        stderr,
        /ended early, after \d+ of 500 tasks\nnothing of race-\w+ is left behind/,
      );
      assert.deepEqual(await ids(coordinator), []);
    }
  });

  it("says what it had to leave when the coordinator goes away, and removes it later", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0 });
    const app = await coordinator.addWorkers(1);
    const claimed = untilClaimed(coordinator);
    await using cli = new CliProcess(
      to(coordinator, "--tasks", "100", "--sessions", "3", "--timeout", "500ms"),
    );
    await claimed;
    await app.stop();
    const { code, stderr } = await cli.exited;
    assert.equal(code, 7, stderr);
    const cure = /may have left tasks behind\. .+: if-coordinator race --remove (race-\w+)$/m;
    const name = cure.exec(stderr)?.[1] ?? "";
    await coordinator.addWorkers(1);
    assert.equal((await ids(coordinator)).length, 100);
    await coordinator.ok("tasks.create.race-mine");

    const removal = await runCli(to(coordinator, "--remove", name));
    assert.equal(removal.code, 0);
    assert.equal(removal.stderr, `nothing of ${name} is left behind\n`);
    assert.deepEqual(await ids(coordinator), ["race-mine"]);
  });

  it("creates nothing without a coordinator, or for a user who cannot remove it", async () => {
    const config = `
      jetstream: enabled
      no_auth_user: operator
      accounts { A { jetstream: enabled, users: [
        { user: operator, password: secret },
        { user: agent, password: secret, permissions: { publish: { deny: "$KV.>" } } } ] } }`;
    await using coordinator = await TestCoordinator.start({ workers: 0, server: { config } });
    const nobody = await runCli(to(coordinator, "--timeout", "100ms"));
    assert.equal(nobody.code, 7, nobody.stderr);
    assert.equal(nobody.stdout, "");

    await coordinator.addWorkers(1);
    const agent = ["--user", "agent", "--password", "secret"];
    const { code, stderr } = await runCli(to(coordinator, ...agent));
    assert.equal(code, 3, stderr);
    assert.match(stderr, /cannot remove tasks.+none was created: .+\$KV\.tasks\.>$/m);
    assert.deepEqual(await ids(coordinator), []);
  });

  it("fails if a task has two winners, and keeps it as evidence", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0 });
    // It creates the buckets.
    await (await coordinator.addWorkers(1)).stop();
    await respond(coordinator.connection, () => ({ ok: true, revision: 1 }));
    const { code, stdout } = await runCli(to(coordinator, "--tasks", "1", "--sessions", "2"));
    assert.equal(code, 1);
    assert.match(stdout, /exactly one for 0 of 1 task, several for 1/);
    assert.match(stdout, /(race-\w+)-1: \1-session-1, \1-session-2/);
    assert.match(stdout, /left behind +1 task: if-coordinator task list --prefix race-\w+-/);
    assert.match(stdout, /\nfailed: not every task had exactly one winner\n$/);
  });

  it("refuses numbers out of range and names that are no race", async () => {
    const [tasks, sessions, name] = await Promise.all([
      runCli(["race", "--tasks", "0"]),
      runCli(["race", "--sessions", "1001"]),
      runCli(["race", "--remove", "P0."]),
    ]);
    assert.deepEqual([tasks.code, sessions.code, name.code], [2, 2, 2]);
    assert.match(tasks.stderr, /--tasks 0: give a number from 1 to 10000/);
    assert.match(sessions.stderr, /--sessions 1001: give a number from 1 to 1000/);
    assert.match(name.stderr, /--remove P0\.: give the name of a race/);
  });
});

describe("the report of a race", () => {
  const race = { name: "race-1", sessions: 2, seconds: 2, left_behind: [] };
  const heat = (taskId: string, refusals: (string | null)[], silentWinner = null): Heat => {
    const answers = refusals.map((refusal, i) => ({ session: `s${i}`, refusal, ms: i + 1 }));
    return { taskId, answers, silentWinner };
  };

  it("counts winners, refusals and times", () => {
    const report = reportOf(
      [
        heat("a", [null, "already_claimed"]),
        heat("b", [null, null]),
        heat("c", ["overloaded", "overloaded"]),
      ],
      race,
    );
    assert.equal(report.passed, false);
    assert.deepEqual(report.winners, { one: 1, none: 1, several: 1 });
    assert.deepEqual(report.violations, [
      { task_id: "b", winners: ["s0", "s1"] },
      { task_id: "c", winners: [] },
    ]);
    assert.deepEqual(report.refusals, { already_claimed: 1, overloaded: 2 });
    assert.deepEqual([report.claims, report.claims_per_second], [6, 3]);
    assert.deepEqual(report.latency_ms, { p50: 1, p95: 2, p99: 2, max: 2 });
  });

  it("counts a winner whose answer was lost", () => {
    const lost = { ...heat("a", ["unavailable", "already_claimed"]), silentWinner: "s0" };
    const report = reportOf([lost], race);
    assert.deepEqual([report.passed, report.sessions_that_won], [true, 1]);
    assert.match(formatRace(report), /refused +1 unavailable, 1 already_claimed/);
  });

  it("shows ten violations at most", () => {
    const heats = Array.from({ length: 13 }, (_, i) => heat(`t${i}`, ["overloaded"]));
    assert.match(formatRace(reportOf(heats, race)), /\n {2}t9: no winner\n {2}and 3 more\n/);
  });
});
