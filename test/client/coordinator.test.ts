/** Claims and releases that resolve to true or false, and `run`. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Coordinator } from "../../src/index.ts";
import { matches } from "../support/matching.ts";
import { Library } from "../support/library.ts";
import { errorOf, NotedLog, refusal, respond } from "../support/stand-in.ts";
import { TestServer } from "../support/nats-server.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

describe("claimTask", () => {
  it("is true for one of many sessions, and for the same session again", async () => {
    await using service = await TestCoordinator.start({ workers: 2 });
    await using library = await Library.connect(service);
    const { coordinator } = library;
    await service.ok("tasks.create.a");
    const sessions = Array.from({ length: 30 }, (_, i) => `session-${i}`);
    const claimed = await Promise.all(sessions.map((id) => coordinator.claimTask("a", id)));
    const winners = sessions.filter((_, i) => claimed[i]);
    assert.equal(winners.length, 1);
    const [winner = ""] = winners;
    assert.equal(await coordinator.claimTask("a", winner), true);
    const status = await coordinator.getTaskStatus("a");
    assert.deepEqual([status?.claimed_by, status?.attempt], [winner, 1]);
  });

  it("is false for a task that does not exist, is blocked or finished, or requires more than the session can do", async () => {
    await using service = await TestCoordinator.start();
    await using library = await Library.connect(service);
    await service.ok("tasks.create.blocked", { depends_on: ["done-later"] });
    await service.ok("tasks.create.done");
    await service.ok("tasks.create.special", { requires: ["gpu"] });
    const { coordinator } = library;
    assert.equal(await coordinator.claimTask("done", "session-1"), true);
    assert.equal(await coordinator.releaseTask("done", "session-1", "complete"), true);
    for (const id of ["unknown", "blocked", "done", "special"]) {
      assert.equal(await coordinator.claimTask(id, "session-1"), false, id);
    }
    assert.equal(await coordinator.getTaskStatus("unknown"), null);
    const options = { capabilities: ["gpu"] };
    assert.equal(await coordinator.claimTask("special", "session-1", options), true);
  });

  it("uses the length of the lease that it is given", async () => {
    await using service = await TestCoordinator.start();
    await using library = await Library.connect(service);
    await service.ok("tasks.create.a");
    await library.coordinator.claimTask("a", "session-1", { ttlSeconds: 77 });
    const { task } = await service.ok("tasks.get.a");
    assert.equal(task.ttl_seconds, 77);
  });

  it("throws for an invalid request and for a request without an answer", async () => {
    await using service = await TestCoordinator.start();
    await using library = await Library.connect(service, { deadlineMs: 0 });
    const { coordinator } = library;
    await errorOf(coordinator.claimTask("a b", "session-1"), "invalid_request");
    await errorOf(coordinator.claimTask("a", "session 1"), "invalid_request");
    await errorOf(coordinator.claimTask("a", "s", { ttlSeconds: 0 }), "invalid_request");
    await errorOf(coordinator.getTaskStatus("a b"), "invalid_request");
    await errorOf(coordinator.releaseTask("a", "", "complete"), "invalid_request");

    await using server = await TestServer.start();
    await using alone = await Library.connect(server, { deadlineMs: 0 });
    await errorOf(alone.coordinator.claimTask("a", "session-1"), "unavailable");
    await errorOf(alone.coordinator.releaseTask("a", "session-1", "complete"), "unavailable");
    await errorOf(alone.coordinator.getTaskStatus("a"), "unavailable");
  });
});

describe("releaseTask", () => {
  it("completes, gives back or fails a task, and is true when it is repeated", async () => {
    await using service = await TestCoordinator.start();
    await using library = await Library.connect(service);
    const { coordinator } = library;
    for (const [status, options, expected] of [
      ["complete", { result: { pages: 3 } }, { status: "complete", result: { pages: 3 } }],
      ["available", {}, { status: "available", claimed_by: null, failures: 0 }],
      [
        "available",
        { resumeAt: new Date("9999-01-01"), cause: "no quota" },
        {
          status: "available",
          not_before: "9999-01-01T00:00:00.000Z",
          last_event: { reason: "no quota" },
        },
      ],
      ["failed", { error: "no paper" }, { status: "available", error: "no paper", failures: 1 }],
      ["failed", { error: "no", retry: false }, { status: "failed", error: "no", failures: 1 }],
    ] as const) {
      const { task } = await coordinator.tasks.create(undefined, {});
      const id = task.task_id;
      await coordinator.claimTask(id, "session-1");
      assert.equal(await coordinator.releaseTask(id, "session-1", status, options), true);
      assert.equal(await coordinator.releaseTask(id, "session-1", status, options), true);
      const record = await coordinator.getTaskStatus(id);
      assert.ok(matches(record, expected), JSON.stringify(record));
    }
  });

  it("is false for a session that does not hold the task", async () => {
    await using service = await TestCoordinator.start();
    await using library = await Library.connect(service);
    const { coordinator } = library;
    await service.ok("tasks.create.a");
    assert.equal(await coordinator.releaseTask("a", "session-1", "complete"), false);
    await coordinator.claimTask("a", "session-1");
    assert.equal(await coordinator.releaseTask("a", "session-2", "complete"), false);
    assert.equal(await coordinator.releaseTask("unknown", "session-1", "complete"), false);
    assert.equal((await coordinator.getTaskStatus("a"))?.claimed_by, "session-1");
  });

  it("is false after the lease is lost, whether or not another session has the task", async () => {
    await using service = await TestCoordinator.start();
    await using library = await Library.connect(service);
    await using elsewhere = await Library.connect(service);
    const { coordinator } = library;
    const loseAndRelease = async (id: string, next: string | null): Promise<void> => {
      await service.ok(`tasks.create.${id}`);
      const expired = service.fact("lease_expired", ({ taskId }) => taskId === id);
      assert.ok(await coordinator.claimTask(id, "session-1", { ttlSeconds: 1 }));
      await expired;
      if (next !== null) assert.ok(await elsewhere.coordinator.claimTask(id, next));
      const { revision } = await service.ok(`tasks.get.${id}`);
      const release = { session_id: "session-1", status: "complete" } as const;
      assert.equal(await coordinator.releaseTask(id, "session-1", "complete"), false, id);
      await errorOf(coordinator.tasks.release(id, release), "lease_lost");
      assert.equal((await service.ok(`tasks.get.${id}`)).revision, revision);
    };
    await Promise.all([
      loseAndRelease("nobody", null),
      loseAndRelease("another", "session-2"),
      loseAndRelease("the-same-elsewhere", "session-1"),
    ]);
  });

  it("is true for an operator who releases the task of a crashed session", async () => {
    await using service = await TestCoordinator.start();
    await service.ok("tasks.create.P0.5.1");
    await service.ok("tasks.claim.P0.5.1", { session_id: "session-1-crashed" });
    await using library = await Library.connect(service);
    const { coordinator } = library;
    assert.equal(await coordinator.releaseTask("P0.5.1", "session-1-crashed", "available"), true);
    assert.equal(await coordinator.claimTask("P0.5.1", "session-2"), true);
  });

  it("releases the attempt that it is given", async () => {
    await using service = await TestCoordinator.start();
    await using library = await Library.connect(service);
    const { coordinator } = library;
    await service.ok("tasks.create.a");
    await coordinator.claimTask("a", "s");
    assert.equal(await coordinator.releaseTask("a", "s", "complete", { attempt: 7 }), false);
    assert.equal(await coordinator.releaseTask("a", "s", "complete", { attempt: 1 }), true);
  });
});

describe("run", () => {
  it("resolves when the coordinator is stopped, each time", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    const { coordinator } = library;
    for (let times = 0; times < 2; times++) {
      const running = [coordinator.run(), coordinator.run()];
      assert.equal(await Promise.race([...running, afterOtherWork()]), "still running");
      await coordinator.stop();
      await Promise.all(running);
    }
    assert.equal((await library.bus.health()).connected, true);
  });

  it("resolves when the event bus is disconnected", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    const running = library.coordinator.run();
    await library.bus.disconnect();
    await running;
  });

  it("continues after a reconnect, and rejects when the connection is lost for good", async () => {
    await using server = await TestServer.start();
    await using patient = await Library.connect(server);
    await using library = await Library.connect(server, { config: { maxReconnectAttempts: 1 } });
    const waiting = patient.coordinator.run();
    const running = library.coordinator.run();
    await server.kill();
    const { message, retryable } = await errorOf(running, "unavailable");
    assert.match(message, /the connection to NATS is lost: .*refused/);
    assert.equal(retryable, false);
    assert.equal(await Promise.race([waiting, afterOtherWork()]), "still running");
    await patient.coordinator.stop();
    await waiting;
  });

  it("rejects without a connection", async () => {
    await using server = await TestServer.start();
    await using library = await Library.connect(server);
    await library.bus.disconnect();
    const { message } = await errorOf(library.coordinator.run(), "unavailable");
    assert.match(message, /call connect\(\) first/);
  });
});

/** Resolves late: a promise that is about to resolve or reject wins a race against it. */
async function afterOtherWork(): Promise<string> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
  return "still running";
}

describe("a coordinator", () => {
  it("logs every request to its own logger, or without one to the logger of the event bus", async () => {
    await using server = await TestServer.start();
    await respond(await server.connect(), () => refusal("not_found", false));
    await using library = await Library.connect(server);
    const own = new NotedLog();
    await library.coordinator.getTaskStatus("a");
    await new Coordinator(library.bus, { logger: own }).claimTask("b", "session-1");
    assert.deepEqual(library.log.of("debug"), [
      "tasks.get.a {}",
      "tasks.get.a: refused as not_found",
    ]);
    const [asked = "", refused] = own.of("debug");
    assert.match(
      asked,
      /^tasks\.claim\.b \{"session_id":"session-1","instance":"[0-9a-f-]{36}"\}$/,
    );
    assert.equal(refused, "tasks.claim.b: refused as not_found");
  });

  it("retries for its own deadline, and each call for the deadline of the call", async () => {
    await using server = await TestServer.start();
    const requests = await respond(await server.connect(), () => refusal("overloaded", true));
    await using library = await Library.connect(server, { deadlineMs: 0 });
    const { coordinator } = library;
    await errorOf(coordinator.claimTask("a", "s"), "overloaded");
    await errorOf(coordinator.releaseTask("a", "s", "complete"), "overloaded");
    await errorOf(coordinator.getTaskStatus("a"), "overloaded");
    assert.equal(requests.length, 3);
    for (const call of [
      () => coordinator.claimTask("a", "s", { deadlineMs: 200 }),
      () => coordinator.releaseTask("a", "s", "complete", { deadlineMs: 200 }),
      () => coordinator.getTaskStatus("a", { deadlineMs: 200 }),
    ]) {
      const before = requests.length;
      await errorOf(call(), "overloaded");
      assert.ok(requests.length > before + 1);
    }
    const signal = AbortSignal.abort(new Error("enough"));
    await assert.rejects(coordinator.claimTask("a", "s", { signal }), /enough/);
    await assert.rejects(coordinator.releaseTask("a", "s", "complete", { signal }), /enough/);
    const fields = requests.flatMap(({ body }) => Object.keys(body));
    assert.deepEqual(new Set(fields), new Set(["session_id", "instance", "status"]));
  });
});
