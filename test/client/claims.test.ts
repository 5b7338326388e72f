import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Claim } from "../../src/client/claim.ts";
import { Library } from "../support/library.ts";
import { parked } from "../support/next-requests.ts";
import { errorOf } from "../support/stand-in.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

const IDLE = { stopWhenIdle: true, waitSeconds: 0 };

async function statusOf(coordinator: TestCoordinator, taskId: string): Promise<string> {
  return (await coordinator.ok(`tasks.get.${taskId}`)).task.status as string;
}

/** A coordinator with tasks of these ids. */
async function startWith(...ids: string[]): Promise<TestCoordinator> {
  const coordinator = await TestCoordinator.start();
  for (const id of ids) await coordinator.ok(`tasks.create.${id}`);
  return coordinator;
}

/** The tasks that the loop claims. Each is given back. */
async function collect(claims: AsyncIterable<Claim>): Promise<string[]> {
  const seen: string[] = [];
  for await (const claim of claims) {
    seen.push(claim.task.task_id);
    await claim.release();
  }
  return seen;
}

describe("a loop over claims", () => {
  it("gets one claim after the other, and ends each in its own way", async () => {
    await using coordinator = await startWith("completed", "failed", "hopeless", "released");
    await using library = await Library.connect(coordinator);
    const seen: string[] = [];
    for await (const claim of library.coordinator.claims({ session: "s1", ...IDLE })) {
      const { task_id: id } = claim.task;
      // A task that was given back comes again while the loop goes on.
      if (seen.includes(id)) break;
      seen.push(id);
      if (id === "completed") await claim.complete({ pages: 3 });
      if (id === "failed") await claim.fail(new Error("try again"));
      if (id === "hopeless") await claim.fail("no use", { retry: false });
      if (id === "released") await claim.release();
      assert.ok(claim.isOver);
    }
    assert.deepEqual(seen, ["completed", "failed", "hopeless", "released"]);
    const tasks: Json[] = [];
    for (const id of seen) tasks.push((await coordinator.ok(`tasks.get.${id}`)).task);
    assert.deepEqual(
      tasks.map(({ status, failures }) => [status, failures]),
      [
        ["complete", 0],
        ["available", 1],
        ["failed", 1],
        ["available", 0],
      ],
    );
    assert.deepEqual(
      tasks.map(({ result, error }) => result ?? error),
      [{ pages: 3 }, { name: "Error", message: "try again" }, "no use", null],
    );
    assert.deepEqual((await coordinator.ok("sessions.list")).sessions, []);
    assert.deepEqual(library.complaints, []);
  });

  it("gives its tasks back when it is left by a break or an error", async () => {
    await using coordinator = await startWith("a");
    await using library = await Library.connect(coordinator);
    for (const how of ["break", "error"]) {
      const held: Claim[] = [];
      try {
        for await (const claim of library.coordinator.claims({ session: "s1" })) {
          held.push(claim);
          if (how === "break") break;
          throw new Error("in the body");
        }
        assert.equal(how, "break");
      } catch (error) {
        assert.equal((error as Error).message, "in the body");
      }
      const { task } = await coordinator.ok("tasks.get.a");
      assert.deepEqual([task.status, task.failures], ["available", 0]);
      const [claim] = held;
      assert.ok(claim?.signal.aborted);
      await errorOf(claim.complete(), "lease_lost");
      assert.deepEqual((await coordinator.ok("sessions.list")).sessions, []);
    }
  });

  it("may hold several claims at a time, and each lease is renewed until its claim ends", async () => {
    await using coordinator = await startWith("a", "b", "c");
    await using library = await Library.connect(coordinator);
    const options = { session: "s1", ttlSeconds: 1, ...IDLE };
    const held: Claim[] = [];
    const loop = library.coordinator.claims(options);
    for await (const claim of loop) {
      held.push(claim);
      if (held.length < 3) continue;
      const heartbeats = coordinator.connection.subscribe("sessions.heartbeat.s1", { max: 5 });
      for await (const beat of heartbeats) assert.equal(beat.json<Json>().claims.length, 3);
      await Promise.all(held.map((each) => each.complete(each.task.task_id)));
    }
    for (const id of ["a", "b", "c"]) {
      const { task } = await coordinator.ok(`tasks.get.${id}`);
      assert.deepEqual([task.status, task.result, task.attempt], ["complete", id, 1]);
    }
  });

  it("ends by the coordinator's stop while it waits, also while it waits for a coordinator", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 0 });
    await using library = await Library.connect(coordinator);
    const run = library.coordinator.run();
    const early = collect(library.coordinator.claims({ session: "s1" }));
    await library.log.noted("warn", /no coordinator is running/);
    await library.coordinator.stop();
    assert.deepEqual(await early, []);
    await run;
    await coordinator.addWorkers(1);
    const late = collect(library.coordinator.claims({ session: "s2" }));
    await parked(coordinator, 1);
    await library.coordinator.stop();
    assert.deepEqual(await late, []);
    assert.deepEqual((await coordinator.ok("sessions.list")).sessions, []);
  });

  it("may finish its task when the coordinator is stopped", async () => {
    await using coordinator = await startWith("a", "b");
    await using library = await Library.connect(coordinator);
    const events: string[] = [];
    const stopped: Promise<unknown>[] = [];
    for await (const claim of library.coordinator.claims({ session: "s1" })) {
      const { task_id: id } = claim.task;
      stopped.push(library.coordinator.stop().then(() => events.push("stopped")));
      // Its signal is not aborted, and it holds the task.
      await coordinator.until("sessions.list", ({ sessions }) => sessions[0]?.claims === 1);
      assert.equal(claim.signal.aborted, false);
      events.push(`completing ${id}`);
      await claim.complete();
    }
    await Promise.all(stopped);
    assert.deepEqual(events, ["completing a", "stopped"]);
    assert.equal(await statusOf(coordinator, "a"), "complete");
    assert.equal(await statusOf(coordinator, "b"), "available");
    assert.deepEqual((await coordinator.ok("sessions.list")).sessions, []);
  });

  it("has given its tasks back when the coordinator has stopped, after the deadline", async () => {
    await using coordinator = await startWith("a");
    await using library = await Library.connect(coordinator);
    for await (const claim of library.coordinator.claims({ session: "s1" })) {
      await library.coordinator.stop({ deadlineMs: 20 });
      assert.ok(claim.signal.aborted);
      assert.equal(await statusOf(coordinator, "a"), "available");
      assert.deepEqual((await coordinator.ok("sessions.list")).sessions, []);
    }
  });

  it("rejects if the coordinator refuses its request", async () => {
    await using coordinator = await startWith("a");
    await using library = await Library.connect(coordinator);
    for (const options of [{ session: "" }, { session: "s1", prefix: "x".repeat(10_000) }]) {
      await errorOf(collect(library.coordinator.claims(options)), "invalid_request");
    }
    assert.deepEqual((await coordinator.ok("sessions.list")).sessions, []);
  });
});
