/** A session that gets its next task in the request that ends the one before. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Claim } from "../../src/client/claim.ts";
import { TaskClient } from "../../src/client/task-client.ts";
import { TaskWorker } from "../../src/client/task-worker.ts";
import { ReleaseError } from "../../src/client/task-handler.ts";
import { CoordinatorError } from "../../src/protocol/errors.ts";
import { MAX_ID_LENGTH } from "../../src/protocol/subjects.ts";
import { withFaults } from "../support/faulty-stores.ts";
import { HeldWork } from "../support/held-work.ts";
import { Library } from "../support/library.ts";
import { parked } from "../support/next-requests.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

const IDS = ["a", "b", "c", "d"];
const UNTIL_IDLE = { session: "s1", waitSeconds: 0, stopWhenIdle: true };

async function begin(coordinator: TestCoordinator, ids = IDS): Promise<Library> {
  for (const id of ids) await coordinator.ok(`tasks.create.${id}`);
  return Library.connect(coordinator);
}

/** How many requests of an operation were answered. */
function count(coordinator: TestCoordinator, operation: string): number {
  return coordinator.facts.filter((fact) => {
    return fact.kind === "request" && fact.operation === operation;
  }).length;
}

describe("a loop whose claims end with next: true", () => {
  const ends: readonly [string, (claim: Claim) => Promise<void>][] = [
    ["complete", (claim) => claim.complete(1, { next: true })],
    ["fail", (claim) => claim.fail("no", { retry: false, next: true })],
    ["release", (claim) => claim.release({ delaySeconds: 60, next: true })],
  ];
  for (const [name, end] of ends) {
    it(`gets each task with the end of the one before (${name})`, async () => {
      await using coordinator = await TestCoordinator.start();
      await using library = await begin(coordinator);
      const taken: string[] = [];
      for await (const claim of library.coordinator.claims(UNTIL_IDLE)) {
        taken.push(claim.task.task_id);
        await end(claim);
      }
      assert.deepEqual(taken, IDS);
      assert.equal(count(coordinator, "tasks.release"), IDS.length);
      // One for the first task, and one that finds nothing.
      assert.equal(count(coordinator, "tasks.next"), 2);
      assert.deepEqual(library.complaints, []);
    });
  }

  it("applies the options of the loop", async () => {
    await using coordinator = await TestCoordinator.start();
    await using library = await begin(coordinator);
    await coordinator.ok("tasks.create.x.1", { tags: ["t"], requires: ["gpu"] });
    await coordinator.ok("tasks.create.x.2", { tags: ["t"], requires: ["gpu"] });
    const wanted = { tags: ["t"], prefix: "x.", capabilities: ["gpu"], ttlSeconds: 77 };
    const taken: string[] = [];
    for await (const claim of library.coordinator.claims({ ...UNTIL_IDLE, ...wanted })) {
      const { task_id: id, ttl_seconds: ttlSeconds } = claim.task;
      taken.push(`${id} ${ttlSeconds ?? ""}`);
      await claim.complete(null, { next: true });
    }
    assert.deepEqual(taken, ["x.1 77", "x.2 77"]);
  });

  it("gives back the task that came when it ends before", async () => {
    await using coordinator = await TestCoordinator.start();
    await using library = await begin(coordinator);
    for await (const claim of library.coordinator.claims({ session: "s1" })) {
      await claim.complete(null, { next: true });
      break;
    }
    const { task } = await coordinator.ok("tasks.get.b");
    assert.deepEqual([task.status, task.attempt, task.failures], ["available", 1, 0]);
    assert.deepEqual(library.complaints, []);
  });

  it("gets the same task again", async () => {
    await using coordinator = await TestCoordinator.start();
    await using library = await begin(coordinator, ["a"]);
    const attempts: number[] = [];
    for await (const claim of library.coordinator.claims(UNTIL_IDLE)) {
      attempts.push(claim.attempt);
      if (claim.attempt < 3) await claim.release({ next: true });
      else await claim.complete(null, { next: true });
    }
    assert.deepEqual(attempts, [1, 2, 3]);
    assert.equal((await coordinator.ok("tasks.get.a")).task.status, "complete");
    assert.deepEqual(library.complaints, []);
  });

  it("takes nothing if the claim could not be ended", async () => {
    await using coordinator = await TestCoordinator.start();
    await using library = await begin(coordinator, ["a", "b"]);
    for await (const claim of library.coordinator.claims({ session: "s1" })) {
      await coordinator.ok("tasks.requeue.a");
      await assert.rejects(claim.complete(null, { next: true }), { code: "lease_lost" });
      break;
    }
    assert.equal((await coordinator.ok("tasks.get.b")).task.attempt, 0);
  });

  it("refuses a misspelt option, and still holds the task", async () => {
    await using coordinator = await TestCoordinator.start();
    await using library = await begin(coordinator, ["a"]);
    for await (const claim of library.coordinator.claims({ session: "s1" })) {
      const misspelt = { nxt: true } as object;
      const options = /options are next/;
      await assert.rejects(claim.complete(null, misspelt), options);
      await assert.rejects(claim.fail(null, misspelt), options);
      await assert.rejects(claim.release(misspelt), /nxt/);
      assert.equal(claim.isOver, false);
      break;
    }
  });
});

describe("a worker", () => {
  it("needs one request for each task while there are tasks", async () => {
    await using coordinator = await TestCoordinator.start();
    const ids = Array.from({ length: 20 }, (_, i) => `t${String(i).padStart(2, "0")}`);
    await using library = await begin(coordinator, ids);
    const done: string[] = [];
    const worker = library.coordinator.work(UNTIL_IDLE, ({ task_id: id }) => {
      done.push(id);
      if (id === "t03") throw new Error("it fails");
      if (id === "t05") throw new ReleaseError("not now", { delaySeconds: 60 });
    });
    await worker.done;
    assert.deepEqual(done, ids);
    assert.equal(count(coordinator, "tasks.release"), ids.length);
    assert.equal(count(coordinator, "tasks.next"), 2);
    const { tasks } = await coordinator.ok("tasks.stats");
    assert.deepEqual([tasks.complete, tasks.available], [ids.length - 2, 2]);
  });

  it("finds a task that came although NATS did not say so, with ids of the greatest length", async () => {
    const ids = ["x", "y", "z"].map((letter) => letter.repeat(MAX_ID_LENGTH));
    const hidden = ids.slice(1);
    await using coordinator = await TestCoordinator.start({
      wrapStores: withFaults({
        tasks: {
          write: (real) => async (prepared, expected, writeId) => {
            const outcome = await real.write(prepared, expected, writeId);
            const { taskId, status } = prepared.task;
            if (status !== "claimed" || taskId !== hidden[0]) return outcome;
            hidden.shift();
            throw new CoordinatorError("unavailable", "the answer is lost");
          },
        },
      }),
    });
    await using library = await begin(coordinator, ids);
    const done: string[] = [];
    const worker = library.coordinator.work(UNTIL_IDLE, ({ task_id: id }) => {
      done.push(id);
    });
    await worker.done;
    assert.deepEqual(done, ids);
    const { tasks } = await coordinator.ok("tasks.stats");
    assert.deepEqual([tasks.complete, tasks.claimed], [ids.length, 0]);
  });

  it("keeps all of its places busy, and none twice", async () => {
    await using coordinator = await TestCoordinator.start({ workers: 2 });
    const ids = Array.from({ length: 30 }, (_, i) => `t${i}`);
    await using library = await begin(coordinator, ids);
    const done: string[] = [];
    let running = 0;
    let most = 0;
    const options = { ...UNTIL_IDLE, concurrency: 4 };
    const worker = library.coordinator.work(options, async ({ task_id: id }) => {
      most = Math.max(most, ++running);
      await coordinator.ok(`tasks.get.${id}`);
      done.push(id);
      running--;
    });
    await worker.done;
    assert.deepEqual(done.sort(), ids.sort());
    assert.equal(most, 4);
    assert.deepEqual(library.complaints, []);
  });

  it("waits with tasks.next when no task comes, and ends the one before at once", async () => {
    await using coordinator = await TestCoordinator.start();
    await using library = await begin(coordinator, ["a"]);
    const work = new HeldWork();
    const worker = library.coordinator.work({ session: "s1", waitSeconds: 30 }, work.handler);
    (await work.nth(1)).finish();
    await parked(coordinator, 1);
    await coordinator.ok("tasks.create.b");
    (await work.nth(2)).finish();
    await parked(coordinator, 1);
    await worker.stop();
    assert.equal((await coordinator.ok("tasks.stats")).tasks.complete, 2);
  });

  it("that is stopped while a task comes gives it back", async () => {
    let claimed: () => void = () => undefined;
    let letGo: () => void = () => undefined;
    const isClaimed = new Promise<void>((resolve) => (claimed = resolve));
    const isLetGo = new Promise<void>((resolve) => (letGo = resolve));
    await using coordinator = await TestCoordinator.start({
      wrapStores: withFaults({
        tasks: {
          write: (real) => async (prepared, expected, writeId) => {
            const outcome = await real.write(prepared, expected, writeId);
            const { taskId, status } = prepared.task;
            if (taskId !== "b" || status !== "claimed") return outcome;
            claimed();
            await isLetGo;
            return outcome;
          },
        },
      }),
    });
    await using library = await begin(coordinator, ["a", "b"]);
    const work = new HeldWork();
    const worker = library.coordinator.work({ session: "s1" }, work.handler);
    (await work.nth(1)).finish();
    await isClaimed;
    const stopped = worker.stop();
    letGo();
    await stopped;
    assert.equal(work.begun.length, 1);
    const { task } = await coordinator.ok("tasks.get.b");
    assert.deepEqual([task.status, task.failures], ["available", 0]);
    assert.deepEqual(library.complaints, []);
  });

  it("begins a task that comes with a late answer while it waits for another one", async () => {
    await using coordinator = await TestCoordinator.start();
    await using library = await begin(coordinator, ["a", "b", "c"]);
    const { bus, log: logger } = library;
    const late = new LateAnswers(bus.link, { logger });
    const work = new HeldWork();
    const worker = new TaskWorker(
      { session: "s1", concurrency: 2, waitSeconds: 60 },
      work.handler,
      {
        ...{ link: bus.link, tasks: late, logger, instance: "i1", sessions: new Set() },
      },
    );
    await work.nth(2);
    const [a, b] = work.begun;
    b?.finish();
    await coordinator.until("tasks.get.c", ({ task }) => task.status === "claimed");
    a?.finish();
    // No task came for `a`, so the worker waits for one.
    await parked(coordinator, 1);
    late.letGo();
    assert.equal((await work.nth(3)).id, "c");
    work.finishAll();
    await worker.stop();
    assert.equal((await coordinator.ok("tasks.stats")).tasks.complete, 3);
    assert.deepEqual(library.complaints, []);
  });
});

/** A client whose answer to the release of `b` is held back. */
class LateAnswers extends TaskClient {
  letGo: () => void = () => undefined;
  readonly #isLetGo = new Promise<void>((resolve) => (this.letGo = resolve));

  override async release(
    ...request: Parameters<TaskClient["release"]>
  ): ReturnType<TaskClient["release"]> {
    const reply = await super.release(...request);
    if (request[0] === "b") await this.#isLetGo;
    return reply;
  }
}
