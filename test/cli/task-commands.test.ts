import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type CliExit, MAIN, runCli } from "../support/cli-process.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

let coordinator: TestCoordinator;
before(async () => {
  coordinator = await TestCoordinator.start();
});
after(() => coordinator[Symbol.asyncDispose]());

/** `task <args>` for the session s1. */
function task(args: readonly string[], env: Record<string, string> = {}): Promise<CliExit> {
  const variables = { NATS_URL: coordinator.server.url, IF_COORDINATOR_SESSION: "s1", ...env };
  return runCli(["task", ...args], { env: variables });
}

async function taskOf(id: string): Promise<Json> {
  return (await coordinator.ok(`tasks.get.${id}`)).task;
}

/** What the command wrote, and how it ended. */
function ending({ code, stdout, stderr }: CliExit): [number | null, string, string] {
  return [code, stdout, stderr];
}

describe("task create", () => {
  it("sends every field of a definition, and prints a sentence, the id or the reply", async () => {
    await using folder = await TempFolder.create();
    const payload = join(folder.path, "payload.json");
    await writeFile(payload, '\ufeff{"n": 0.1}\n');
    const created = await task([
      ...["create", "full", "-t", "All fields", "--description", "@@home", "--priority", "0"],
      ...["--depends-on", "a,b", "--depends-on", "c", "--requires", "gpu", "--tag", "x, y"],
      ...["--metadata", "version=1.10", "--metadata", '{"n":1}', "--payload", `@${payload}`],
      ...["--not-before", "2030-01-01T00:00:00Z", "--max-failures", "5", "--max-lost-leases", "0"],
    ]);
    assert.deepEqual([created.code, created.stdout], [0, "created full (blocked): All fields\n"]);
    assert.match(created.stderr, /^warning: task full depends on a, which does not exist/);
    const { task_id, created_revision, ...record } = await taskOf("full");
    assert.deepEqual([task_id, typeof created_revision], ["full", "number"]);
    const expected = {
      title: "All fields",
      description: "@home",
      priority: 0,
      depends_on: ["a", "b", "c"],
      requires: ["gpu"],
      tags: ["x", "y"],
      metadata: { version: "1.10", n: 1 },
      payload: { n: 0.1 },
      not_before: "2030-01-01T00:00:00.000Z",
      max_failures: 5,
      max_lost_leases: 0,
    };
    assert.deepEqual({ ...record, ...expected }, record);
    assert.equal(record.last_event.session_id, "s1");

    const quiet = await task(["create", "--title", "random id", "--quiet"]);
    assert.match(quiet.stdout, /^[0-9a-f-]{36}\n$/);
    assert.equal((await taskOf(quiet.stdout.trim())).title, "random id");
    const again = await task(["create", "full", "--json"]);
    assert.deepEqual([again.code, again.stdout], [3, ""]);
    assert.equal(JSON.parse(again.stderr).error.code, "already_exists");
  });
});

describe("a claim in the shell", () => {
  it("is made by next, renewed with progress, and ended by complete", async () => {
    await coordinator.ok("tasks.create.life.1", { title: "One", priority: 0 });
    const next = await task(["next", "--prefix", "life.", "--ttl", "10m"]);
    assert.deepEqual(ending(next), [0, "s1 has claimed life.1 (attempt 1, 600 s): One\n", ""]);
    const again = await task(["claim", "life.1"]);
    assert.match(again.stdout, /^s1 already holds life\.1 \(attempt 1, 600 s\)/);
    const renewed = await task(["renew", "life.1", "--progress", "3 of 4", "--ttl", "1m"]);
    assert.deepEqual(ending(renewed), [0, "s1 holds life.1 (attempt 1) for another 60 s\n", ""]);
    assert.equal((await coordinator.ok("tasks.get.life.1")).lease.progress, "3 of 4");
    const holds = await task(["verify", "life.1"]);
    assert.equal(holds.code, 0);
    assert.match(
      holds.stdout,
      /^life\.1: the claim holds; s1 holds it \(attempt 1, fencing token /,
    );
    const done = await task(["complete", "life.1", "--result", '{"files": 3}']);
    assert.deepEqual(ending(done), [0, "life.1 is complete\n", ""]);
    assert.deepEqual((await taskOf("life.1")).result, { files: 3 });
    const late = await task(["verify", "life.1", "--json"]);
    assert.deepEqual([late.code, JSON.parse(late.stdout).holds], [4, false]);
    assert.equal((await task(["renew", "life.1"])).code, 4);
  });

  it("is given back with a delay, or fails with or without another attempt", async () => {
    for (const id of ["end.1", "end.2", "end.3"]) await coordinator.ok(`tasks.create.${id}`);
    const all = await task(["next", "--prefix", "end.", "--max", "3", "--quiet"]);
    assert.equal(all.stdout, "end.1\nend.2\nend.3\n");
    const [back, failed, hopeless] = await Promise.all([
      task(["release", "end.1", "--delay", "1h", "--reason", "quota"]),
      task(["fail", "end.2", "--error", "[Errno 2] no such file"]),
      task(["fail", "end.3", "--no-retry", "--error", '{"code": 7}']),
    ]);
    assert.match(back.stdout, /^end\.1 is available, but not before 20\S+Z\n$/);
    assert.match(failed.stdout, /^end\.2 is available, but not before .* after 1 of 3 failures\n$/);
    assert.equal(hopeless.stdout, "end.3 is failed after 1 of 3 failures\n");
    assert.equal((await taskOf("end.1")).last_event.reason, "quota");
    assert.equal((await taskOf("end.2")).error, "[Errno 2] no such file");
    assert.deepEqual((await taskOf("end.3")).error, { code: 7 });
    const nothing = await task(["next", "--prefix", "end.1"]);
    assert.deepEqual([nothing.code, nothing.stdout], [5, ""]);
    assert.match(
      nothing.stderr,
      /^if-coordinator: no task is ready: 1 not due yet.*; one is due at /,
    );
    const document = await task(["next", "--prefix", "end.1", "--json"]);
    assert.deepEqual([document.code, document.stderr], [5, ""]);
    assert.deepEqual(JSON.parse(document.stdout).claims, []);
  });

  it("belongs to the attempt for which run has started the command", async () => {
    await coordinator.ok("tasks.create.attempt");
    await task(["claim", "attempt"]);
    await task(["release", "attempt"]);
    await task(["claim", "attempt"]);
    const env = { TASK_ID: "attempt", TASK_ATTEMPT: "1" };
    const late = await task(["complete", "attempt"], env);
    assert.equal(late.code, 4, late.stderr);
    assert.equal((await task(["verify", "attempt"], env)).code, 4);
    assert.equal((await task(["renew", "attempt"], { ...env, TASK_ID: "other" })).code, 0);
    const several = await task(["complete", "attempt", "other", "--attempt", "2"]);
    assert.equal(several.code, 2);
    assert.match(several.stderr, /--attempt belongs to one claim/);
    assert.equal((await task(["complete", "attempt", "--attempt", "2"])).code, 0);
  });

  it("ends with exit code 9 of renew when the task is cancelled", async () => {
    await coordinator.ok("tasks.create.stop");
    await task(["claim", "stop"]);
    const cancelled = await task(["cancel", "stop", "--reason", "not needed"], {
      IF_COORDINATOR_SESSION: "boss",
    });
    assert.deepEqual(ending(cancelled), [0, "s1 is asked to stop working on stop\n", ""]);
    const renewed = await task(["renew", "stop"]);
    assert.equal(renewed.code, 9);
    assert.match(renewed.stdout, /asked to stop, because the task is cancelled\n$/);
    assert.equal((await task(["release", "stop"])).stdout, "stop is cancelled\n");
    const requeued = await task(["requeue", "stop", "--reason", "needed after all"]);
    assert.deepEqual(ending(requeued), [0, "stop is available\n", ""]);
  });
});

describe("a command for several tasks", () => {
  it("tries all of them, and ends with the highest exit code", async () => {
    for (const id of ["m.1", "m.2"]) await coordinator.ok(`tasks.create.${id}`);
    const cancelled = await task(["cancel", "m.1", "missing", "m.2"]);
    assert.equal(cancelled.code, 6);
    assert.equal(cancelled.stdout, "m.1 is cancelled\nm.2 is cancelled\n");
    assert.match(cancelled.stderr, /^if-coordinator: there is no task missing/);
    const json = await task(["requeue", "m.1", "missing", "--json"]);
    const [one, two] = JSON.parse(json.stdout);
    assert.deepEqual([one.task_id, one.ok, one.task.status], ["m.1", true, "available"]);
    assert.deepEqual([two.task_id, two.ok, two.error.code], ["missing", false, "not_found"]);
    assert.equal(JSON.parse(json.stderr).error.code, "not_found");
  });

  it("stops at the first one if there is no coordinator", async () => {
    const { code, stderr } = await task(["cancel", "m.1", "m.2"], {
      NATS_URL: "nats://localhost:1",
    });
    assert.equal(code, 7);
    assert.match(
      stderr,
      /^if-coordinator: cannot connect to NATS at nats:\/\/localhost:1 [^\n]*\n$/,
    );
  });
});

describe("task update", () => {
  it("changes and clears fields, and only at the revision that it names", async () => {
    const { revision } = await coordinator.ok("tasks.create.u", {
      description: "old",
      payload: 1,
      tags: ["a"],
      not_before: "2030-01-01T00:00:00Z",
    });
    const stale = await task([
      "update",
      "u",
      "--priority",
      "1",
      "--if-revision",
      String(revision - 1),
    ]);
    assert.equal(stale.code, 3, stale.stderr);
    const args = [
      "--no-description",
      "--no-payload",
      "--no-not-before",
      "--tag",
      "",
      "--title",
      "",
    ];
    const updated = await task(["update", "u", ...args, "--if-revision", String(revision)]);
    assert.deepEqual([updated.code, updated.stderr], [0, ""]);
    assert.match(updated.stdout, /^updated u \(revision \d+\): u is available\n$/);
    const { description, payload, tags, not_before } = await taskOf("u");
    assert.deepEqual([description, payload, tags, not_before], [null, null, [], null]);
    const nothing = await task(["update", "u"]);
    assert.equal(nothing.code, 2);
    assert.match(nothing.stderr, /nothing to change/);
  });
});

describe("a value from a file or from standard input", () => {
  it("is taken as it is, or refused with its place", async () => {
    await using folder = await TempFolder.create();
    const file = async (name: string, content: string | Buffer): Promise<string> => {
      const path = join(folder.path, name);
      await writeFile(path, content);
      return path;
    };
    await coordinator.ok("tasks.create.value");
    await task(["claim", "value"]);
    const report = await file("report.txt", "All is well.\n{not JSON}\n");
    const broken = await file("broken.json", '{\n  "a": 1,\n  "b": }\n');
    const binary = await file("binary", Buffer.from([0xff, 0xfe]));
    const refused = async (result: string, text: RegExp): Promise<void> => {
      const { code, stdout, stderr } = await task(["complete", "value", "--result", result]);
      assert.deepEqual([code, stdout], [2, ""]);
      assert.match(stderr, text);
      assert.doesNotMatch(stderr, /\n +at /);
    };
    await refused(`@${broken}`, /broken\.json:3:8 is not valid JSON: Unexpected token '}'\n$/);
    await refused(`@${binary}`, /binary is not UTF-8 text/);
    await refused(`@${folder.path}`, /EISDIR/);
    await refused(
      "@nowhere.json",
      /nowhere\.json cannot be read \(ENOENT.*begins with @ is written as @@nowhere/,
    );
    await refused("@", /name a file after @/);
    await refused('{"a":1,}', /--result is not valid JSON/);
    await refused("-", /standard input is empty/);
    await refused("12345678901234567890", /would become 12345678901234567000: send it as a string/);
    const script = `printf 'from a pipe\\n' | "$0" "$1" task renew value --progress - && exec "$0" "$1" task complete value --result "@$2"`;
    const piped = await runCli(["-c", script, process.execPath, MAIN, report], {
      program: ["/bin/sh"],
      env: { NATS_URL: coordinator.server.url, IF_COORDINATOR_SESSION: "s1" },
    });
    assert.equal(piped.code, 0, piped.stderr);
    assert.equal((await taskOf("value")).result, "All is well.\n{not JSON}");
  });
});
