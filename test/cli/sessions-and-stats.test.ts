import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatStats } from "../../src/cli/stats.ts";
import type { CliExit } from "../support/cli-process.ts";
import { runCli } from "../support/cli-process.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

describe("if-coordinator session and stats", () => {
  it("register, list, renew and end sessions, and say what a session has lost", async () => {
    await using coordinator = await TestCoordinator.start();
    const run = (...args: string[]): Promise<CliExit> =>
      runCli(args, { env: { NATS_URL: coordinator.server.url, IF_COORDINATOR_SESSION: "" } });

    const empty = await run("session", "list");
    assert.deepEqual(
      [empty.code, empty.stdout, empty.stderr],
      [0, "", "if-coordinator: no session found\n"],
    );
    const metadata = "host=build-1";
    const registered = await run(
      ...["session", "register", "s1", "--capability", "python,review", "--capability", "go"],
      ...["--ttl", "10m", "--metadata", metadata],
    );
    assert.deepEqual(
      [registered.code, registered.stdout],
      [0, "s1 is registered with python, review, go, for 10m without a heartbeat\n"],
    );
    const json = await run("session", "register", "s2", "--json");
    assert.equal(documentOf(json).session.session_id, "s2");

    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.create.b");
    await coordinator.ok("tasks.claim.a", { session_id: "s1" });
    await coordinator.ok("tasks.claim.b", { session_id: "s1" });
    await coordinator.until("sessions.list", ({ sessions }) => sessions[0]?.claims === 2);
    const listed = await run("session", "list");
    assert.match(listed.stdout, /^SESSION +CAPABILITIES +CLAIMS +REGISTERED +EXPIRES +METADATA\n/);
    assert.match(
      listed.stdout,
      /^s1 +python,review,go +2 +\d+s ago +in (9m\d+s|10m) +\{"host":"build-1"\}$/m,
    );
    assert.match(listed.stdout, /^s2 +- +0 /m);
    assert.equal(
      documentOf(await run("session", "list", "--prefix", "s2", "--json")).sessions.length,
      1,
    );
    const page = await run("session", "list", "--limit", "1");
    assert.match(page.stderr, /there are more: raise --limit, or continue with --cursor '/);

    const renewed = await run("session", "heartbeat", "s1", "--claim", "a:1,b:1");
    assert.deepEqual(
      [renewed.code, renewed.stdout, renewed.stderr],
      [0, "s1 is registered for another 10m\nrenewed: a, b\n", ""],
    );
    await coordinator.ok("tasks.cancel.a", { force: true });
    const lost = await run("session", "heartbeat", "s1", "--claim", "a:1", "--claim", "b:1");
    assert.equal(lost.code, 4);
    assert.match(lost.stdout, /^renewed: b$/m);
    assert.match(lost.stderr, /s1 no longer holds a: stop working on it/);
    const asked = await coordinator.ok("tasks.cancel.b");
    assert.equal(asked.task.cancel_requested, true);
    const stopped = await run("session", "heartbeat", "s1", "--claim", "b:1", "--json");
    assert.deepEqual([stopped.code, documentOf(stopped).cancelled], [0, ["b"]]);

    const ended = await run("session", "unregister", "--session", "s1");
    assert.match(ended.stdout, /^s1 is no longer registered; released: b\n|it held no task/);
    assert.equal((await run("session", "heartbeat", "s1")).code, 6);
    await coordinator.addWorkers(1);
    const counted = await run("stats", "--json");
    assert.deepEqual([documentOf(counted).total, documentOf(counted).workers.length], [2, 2]);
    assert.match((await run("stats")).stdout, /^workers +2 /m);
  });

  it("refuse what they cannot use, with exit code 2", async () => {
    await using coordinator = await TestCoordinator.start();
    const env = { NATS_URL: coordinator.server.url, IF_COORDINATOR_SESSION: "" };
    for (const [args, message] of [
      [["session", "register"], /no session: .*IF_COORDINATOR_SESSION/],
      [["session", "register", "s 1"], /The id of a session has/],
      [["session", "register", "s1", "--metadata", "{"], /--metadata is not valid JSON/],
      [["session", "register", "s1", "--metadata", "[1]"], /metadata/],
      [["session", "register", "s1", "--ttl", "1500ms"], /whole seconds/],
      [["session", "heartbeat", "s1", "-s", "s2"], /two sessions: s1 and --session s2/],
      [
        ["session", "heartbeat", "s1", "--claim", "a"],
        /a task and its attempt, such as P0\.5\.1:2/,
      ],
      [["session", "list", "--limit", "-1"], /It must be a whole number/],
      [["session", "lst"], /Did you mean list\?/],
    ] as const) {
      const { code, stderr } = await runCli(args, { env });
      assert.equal(code, 2, `${args.join(" ")}: ${stderr}`);
      assert.match(stderr, message);
    }
  });

  it("take the session of the shell if none is named", async () => {
    await using coordinator = await TestCoordinator.start();
    const env = { NATS_URL: coordinator.server.url, IF_COORDINATOR_SESSION: "shell-1" };
    const { stdout } = await runCli(["session", "register"], { env });
    assert.match(stdout, /^shell-1 is registered/);
  });
});

describe("the table of stats", () => {
  const reply = {
    ok: true as const,
    tasks: { blocked: 3, available: 5, claimed: 1, complete: 0, failed: 1, cancelled: 0 },
    ...{ total: 10, ready: 4, dead_ends: 2, corrupt: 1, leases: 1, sessions: 2 },
    ...{ release_on_disconnect: false, revision: 12 },
    worker: {
      id: "worker-1",
      version: "1.0.0",
      uptime_seconds: 200,
      waiting: 7,
      visibility: "all" as const,
    },
  };

  it("adds up the parked requests of all workers", () => {
    const text = formatStats(reply, [{ waiting: 3 }, { waiting: 4 }]);
    assert.match(text, /^blocked +3 +2 of them wait for a task that failed or was cancelled$/m);
    assert.match(text, /^available +5 +4 ready, 1 not due yet$/m);
    assert.match(text, /^all tasks +10 +and 1 value that is not a task$/m);
    assert.match(text, /^parked requests +7$/m);
    assert.match(text, /^workers +2 +worker-1 answered: version 1\.0\.0, up 3m20s$/m);
  });

  it("shows the answering worker alone if the others cannot be listed", () => {
    const text = formatStats(reply, []);
    assert.match(text, /^parked requests +7 +at worker worker-1$/m);
    assert.match(text, /^workers +- /m);
  });
});

function documentOf({ stdout }: CliExit): Json {
  return JSON.parse(stdout);
}
