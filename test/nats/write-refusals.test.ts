/** When a bucket counts as one that refuses every write: by the clock, and on a real server. */
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
  it("is reported once when it has refused for some seconds, and once when it accepts again", (t) => {
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

  it("is not reported if a write succeeds in between, unless that is to another bucket", (t) => {
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

  it("is probed each second until a write succeeds, by a key that is no id", (t) => {
    const { tracker, probes, pass } = refusals(t);
    pass(5_000);
    tracker.refused("$KV.tasks.a", "full");
    pass(2_000);
    assert.deepEqual(probes, ["$KV.tasks.~probe", "$KV.tasks.~probe"]);
    tracker.accepted("$KV.tasks.~probe");
    pass(5_000);
    assert.equal(probes.length, 2);
  });

  it("is not known any longer when the connection is lost", (t) => {
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

/** Lets a bucket refuse whatever would be added to it, until the returned function is called. */
async function refuseWrites(server: TestServer, bucket: string): Promise<() => Promise<void>> {
  const jsm = await jetstreamManager(await server.connect());
  const name = `KV_${bucket}`;
  await jsm.streams.update(name, { max_bytes: 1 });
  return async () => {
    await jsm.streams.update(name, { max_bytes: -1 });
  };
}

describe("a server that refuses the writes to a bucket", () => {
  it("is noticed after a single request, and makes the worker unready until a write succeeds", async () => {
    await using server = await TestServer.start();
    await using serve = await Serve.start(server.url);
    const connection = await server.connect();
    const ready = await serve.readiness();
    assert.deepEqual([ready.code, ready.problems], [200, []]);
    const accept = await refuseWrites(server, "tasks");
    const reply = await connection.request("tasks.create.a", "{}");
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

  it("is not confused with requests that lose, nor is its probe with a task", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 1 });
    await coordinator.ok("tasks.create.a");
    const accept = await refuseWrites(coordinator.server, "tasks");
    const { code } = await coordinator.refused("tasks.create.b");
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
