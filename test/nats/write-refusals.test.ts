/** When a bucket counts as refusing: with a mocked clock, and on a real server. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { jetstreamManager } from "@nats-io/jetstream";
import { REFUSES_AFTER_MS, WriteRefusals } from "../../src/nats/write-refusals.ts";
import { TestServer } from "../support/nats-server.ts";
import { Serve } from "../support/serve.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

function refusals(t: TestContext) {
  t.mock.timers.enable({ apis: ["setInterval"] });
  let now = 0;
  const reports: [string, string | null][] = [];
  const probes: string[] = [];
  const tracker = new WriteRefusals({
    probe: (subject) => probes.push(subject),
    report: (bucket, reason) => reports.push([bucket, reason]),
    now: () => now,
  });
  const pass = (ms: number): void => {
    now += ms;
    t.mock.timers.tick(ms);
  };
  return { tracker, reports, probes, pass };
}

describe("a bucket that refuses writes", () => {
  it("is reported once after it has refused for some seconds, and once when it accepts again", (t) => {
    const { tracker, reports, pass } = refusals(t);
    tracker.refused("$KV.tasks.a", "full");
    pass(REFUSES_AFTER_MS - 1);
    tracker.refused("$KV.tasks.b", "full");
    assert.deepEqual(reports, []);
    pass(1);
    tracker.refused("$KV.tasks.a", "full");
    tracker.refused("$KV.tasks.a", "full");
    assert.deepEqual(reports, [["tasks", "full"]]);
    tracker.accepted("$KV.tasks.c");
    tracker.accepted("$KV.tasks.c");
    assert.deepEqual(reports.slice(1), [["tasks", null]]);
  });

  it("is not reported if a write to it succeeds in between, but a write to another bucket does not count", (t) => {
    const { tracker, reports, pass } = refusals(t);
    tracker.refused("$KV.tasks.a", "full");
    tracker.refused("$KV.leases.a", "full");
    pass(REFUSES_AFTER_MS - 1);
    tracker.accepted("$KV.tasks.a");
    pass(1);
    tracker.refused("$KV.tasks.a", "full");
    tracker.refused("$KV.leases.a", "full");
    assert.deepEqual(reports, [["leases", "full"]]);
  });

  it("is probed each second until a write succeeds, with a key that is not an id", (t) => {
    const { tracker, probes, pass } = refusals(t);
    pass(5_000);
    tracker.refused("$KV.tasks.a", "full");
    pass(2_000);
    assert.deepEqual(probes, ["$KV.tasks.~probe", "$KV.tasks.~probe"]);
    tracker.accepted("$KV.tasks.~probe");
    pass(5_000);
    assert.equal(probes.length, 2);
  });

  it("is forgotten when the connection is lost", (t) => {
    const { tracker, reports, probes, pass } = refusals(t);
    tracker.refused("$KV.tasks.a", "full");
    pass(REFUSES_AFTER_MS);
    tracker.refused("$KV.tasks.a", "full");
    tracker.forget();
    pass(10_000);
    assert.deepEqual(reports.at(-1), ["tasks", null]);
    assert.equal(probes.length, 3);
  });
});

/** Makes a bucket refuse all new entries until the returned function is called. */
async function refuseWrites(server: TestServer, bucket: string): Promise<() => Promise<void>> {
  const jsm = await jetstreamManager(await server.connect());
  const name = `KV_${bucket}`;
  await jsm.streams.update(name, { max_bytes: 1 });
  return async () => {
    await jsm.streams.update(name, { max_bytes: -1 });
  };
}

describe("a server that refuses the writes to a bucket", () => {
  it("is noticed after one request, and makes the worker unready until a write succeeds", async () => {
    await using server = await TestServer.start();
    await using serve = await Serve.start(server.url);
    const connection = await server.connect();
    const ready = await serve.readiness();
    assert.deepEqual([ready.code, ready.problems], [200, []]);
    await connection.request("tasks.create.a", "{}");
    const accept = await refuseWrites(server, "tasks");
    const reply = await connection.request("tasks.claim.a", '{"session_id":"s1"}');
    assert.equal(reply.json<{ error: { code: string } }>().error.code, "unavailable");

    await serve.waitFor(/ERROR +bucket refuses every write/);
    const unready = await serve.readiness();
    assert.equal(unready.code, 503);
    assert.match(
      unready.problems.join("\n"),
      /^the bucket "tasks" refuses every write \(.*bytes.*\)/,
    );
    assert.equal((await serve.metrics()).get("if_coordinator_event_bus_health"), 0);

    await accept();
    await serve.waitFor(/INFO +bucket no longer refuses writes/);
    const again = await serve.readiness();
    assert.deepEqual([again.code, again.problems], [200, []]);
    assert.equal((await serve.metrics()).get("if_coordinator_event_bus_health"), 1);
    serve.kill("SIGTERM");
    const { stdout, stderr } = await serve.exited;
    assert.equal(`${stdout}${stderr}`.match(/bucket refuses every write/g)?.length, 1);
  });

  it("is not confused with requests that lose a race, and its probe is not confused with a task", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 1 });
    await coordinator.ok("tasks.create.a");
    const accept = await refuseWrites(coordinator.server, "tasks");
    const { code } = await coordinator.refused("tasks.claim.a", { session_id: "s1" });
    assert.equal(code, "unavailable");
    await accept();
    await coordinator.ok("tasks.create.b");
    const { tasks } = await coordinator.ok("tasks.list");
    assert.deepEqual(
      tasks.map((task: { task_id: string }) => task.task_id),
      ["a", "b"],
    );
    assert.ok(!coordinator.facts.some(({ kind }) => kind === "writes_refused"));
  });
});
