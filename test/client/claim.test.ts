import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Claim } from "../../src/client/claim.ts";
import { TaskClient } from "../../src/client/task-client.ts";
import { TaskError } from "../../src/client/task-error.ts";
import type { Requester } from "../../src/nats/request.ts";
import { HeldWork } from "../support/held-work.ts";
import { Library } from "../support/library.ts";
import { next } from "../support/next-requests.ts";
import { errorOf } from "../support/stand-in.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

/** A library and a claim of the task `a`, whose lease nobody renews. */
class Bench implements AsyncDisposable {
  readonly coordinator: TestCoordinator;
  readonly library: Library;
  /** For each end, whether the coordinator has acknowledged it. */
  readonly ends: boolean[] = [];

  private constructor(coordinator: TestCoordinator, library: Library) {
    this.coordinator = coordinator;
    this.library = library;
  }

  static async start(): Promise<Bench> {
    const coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    return new Bench(coordinator, await Library.connect(coordinator));
  }

  async claim(more: object = {}, tasks = this.library.coordinator.tasks): Promise<Claim> {
    const { claims } = await next(this.coordinator, "s1", { wait_seconds: 5, ...more });
    const { connection } = this.library.bus.link;
    const owner = { sessionId: "s1", instance: "i1", tasks, connection };
    const claim = new Claim(claims[0], {
      ...owner,
      logger: this.library.log,
      ended: (isAcknowledged) => void this.ends.push(isAcknowledged),
      ...{ nextWanted: () => undefined, came: () => undefined },
      replaced: () => undefined,
    });
    // Now the server has the subscription of the claim.
    await connection.flush();
    return claim;
  }

  async task(): Promise<Json> {
    return (await this.coordinator.ok("tasks.get.a")).task;
  }

  /** A client whose requests wait until the returned function is called. */
  heldBack(): { tasks: TaskClient; letGo: () => void } {
    let letGo: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const { link } = this.library.bus;
    const requester: Requester = {
      maxPayload: link.maxPayload,
      request: async (...request) => {
        await released;
        return link.request(...request);
      },
    };
    return { tasks: new TaskClient(requester), letGo };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.library[Symbol.asyncDispose]();
    await this.coordinator[Symbol.asyncDispose]();
  }
}

function aborted(claim: Claim): Promise<TaskError> {
  return new Promise((resolve) => {
    if (claim.signal.aborted) resolve(claim.signal.reason as TaskError);
    claim.signal.addEventListener("abort", () => {
      resolve(claim.signal.reason as TaskError);
    });
  });
}

describe("a claim", () => {
  it("ends once: a second end is refused, and the error says how the claim ended", async () => {
    await using bench = await Bench.start();
    const ends = ["complete", "fail", "release"] as const;
    for (const end of ends) {
      if (end !== "complete") await bench.coordinator.ok("tasks.requeue.a");
      const claim = await bench.claim();
      const first = end === "fail" ? claim.fail("no") : claim[end]();
      // Neither while the first end is under way nor after it.
      await errorOf(claim.complete("second"), "lease_lost");
      await first;
      for (const again of ["complete", "fail"] as const) {
        const { message } = await errorOf(claim[again]("again"), "lease_lost");
        assert.match(message, /has ended as (complete|failed|available)/);
      }
      assert.equal(claim.isOver, true);
      assert.equal(claim.signal.aborted, false);
      assert.equal((await bench.task()).result, null);
    }
    assert.deepEqual(bench.ends, [true, true, true]);
  });

  it("is released only while it is held: not after its end, during it, or after its loss", async () => {
    await using bench = await Bench.start();
    for (const end of ["complete", "fail", "release"] as const) {
      if (end !== "complete") await bench.coordinator.ok("tasks.requeue.a");
      const claim = await bench.claim();
      const first = end === "fail" ? claim.fail("no") : claim[end]();
      await claim.release();
      await first;
      const { revision } = await bench.coordinator.ok("tasks.get.a");
      await claim.release();
      assert.equal((await bench.coordinator.ok("tasks.get.a")).revision, revision);
    }
    await bench.coordinator.ok("tasks.requeue.a");
    const lost = await bench.claim();
    const isLost = aborted(lost);
    await bench.coordinator.ok("tasks.requeue.a");
    await isLost;
    await lost.release();
    assert.deepEqual((await bench.task()).status, "available");
  });

  it("that is released after a refused end is given back", async () => {
    await using bench = await Bench.start();
    const claim = await bench.claim();
    const refused = errorOf(claim.complete("x".repeat(70_000)), "too_large");
    await claim.release();
    await refused;
    assert.deepEqual((await bench.task()).status, "available");
  });

  it("that is released after an unknown loss causes no error", async () => {
    await using bench = await Bench.start();
    const { tasks, letGo } = bench.heldBack();
    const claim = await bench.claim({}, tasks);
    const released = claim.release();
    await bench.coordinator.ok("tasks.requeue.a");
    letGo();
    await released;
    assert.equal(claim.isOver, true);
  });

  it("is given back at the end of its scope, unless it has ended or an end is under way", async () => {
    await using bench = await Bench.start();
    {
      await using claim = await bench.claim();
      assert.equal(claim.attempt, 1);
      assert.equal(claim.fencingToken, (await bench.task()).fencing_token);
    }
    const { status, failures } = await bench.task();
    assert.deepEqual([status, failures], ["available", 0]);
    {
      await using claim = await bench.claim();
      await bench.coordinator.ok("tasks.requeue.a");
      await aborted(claim);
    }
    {
      const { tasks, letGo } = bench.heldBack();
      await using claim = await bench.claim({}, tasks);
      void claim.complete("not waited for");
      setImmediate(letGo);
    }
    const task = await bench.task();
    assert.deepEqual([task.status, task.result, task.attempt], ["complete", "not waited for", 3]);
    assert.deepEqual(bench.ends, [true, true, true]);
  });

  it("is lost when its lease expires", async () => {
    await using bench = await Bench.start();
    const claim = await bench.claim({ ttl_seconds: 1 });
    const { code, message } = await aborted(claim);
    assert.deepEqual([code, claim.isOver], ["lease_lost", true]);
    assert.match(message, /lease expired/);
    await errorOf(claim.complete(), "lease_lost");
  });

  it("is still held after a result that cannot be stored", async () => {
    await using bench = await Bench.start();
    const claim = await bench.claim();
    await errorOf(claim.complete("x".repeat(70_000)), "too_large");
    await errorOf(claim.complete(1n), "invalid_request");
    await errorOf(claim.fail({ deep: () => 1n, at: 1n }), "invalid_request");
    assert.deepEqual([claim.isOver, (await bench.task()).status], [false, "claimed"]);
    await claim.complete("shorter");
    assert.equal((await bench.task()).result, "shorter");
  });

  it("that is lost during an end that fails is lost", async () => {
    await using bench = await Bench.start();
    const { tasks, letGo } = bench.heldBack();
    const claim = await bench.claim({}, tasks);
    const lost = aborted(claim);
    const completed = errorOf(claim.complete("x".repeat(1_100_000)), "too_large");
    claim.lose("its lease was not renewed in time");
    assert.equal(claim.isOver, false);
    letGo();
    await completed;
    assert.equal((await lost).code, "lease_lost");
    assert.equal(claim.isOver, true);
  });

  it("does not take its own end for a loss, whether the reply or the update arrives first", async () => {
    await using bench = await Bench.start();
    const claim = await bench.claim();
    await Promise.all([
      claim.release(),
      Promise.resolve().then(() => {
        claim.lose("a heartbeat");
      }),
    ]);
    assert.deepEqual([claim.signal.aborted, bench.library.complaints], [false, []]);
  });

  it("is over when the coordinator does not answer, and the end is not acknowledged", async () => {
    await using bench = await Bench.start();
    const failing: Requester = {
      maxPayload: 1_000_000,
      request: () => Promise.resolve('{"ok":false,"error":{"code":"internal","message":"oops"}}'),
    };
    const claim = await bench.claim({}, new TaskClient(failing));
    await errorOf(claim.complete(), "internal");
    assert.deepEqual([claim.isOver, bench.ends], [true, [false]]);
  });
});

describe("a worker's claim that could not be ended", () => {
  it("is given back, although the session exists and renews its leases", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await using library = await Library.connect(coordinator);
    const { link } = library.bus;
    const request = link.request.bind(link);
    link.request = (subject, ...rest) =>
      subject === "tasks.release.a" && !rest[0].includes("available")
        ? Promise.resolve('{"ok":false,"error":{"code":"internal","message":"oops"}}')
        : request(subject, ...rest);
    const work = new HeldWork();
    const worker = library.coordinator.work({ session: "s1", ttlSeconds: 60 }, work.handler);
    (await work.nth(1)).finish("lost");
    // This worker or another one gets it, as soon as the session knows that it still holds it.
    const again = await work.nth(2);
    assert.deepEqual([again.context.attempt, again.task.failures], [2, 0]);
    link.request = request;
    again.finish("kept");
    await worker.stop();
    assert.equal((await coordinator.ok("tasks.get.a")).task.result, "kept");
  });
});

describe("the progress of a claim", () => {
  it("is shown with the lease: the last report of each second, and none after the end", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await using library = await Library.connect(coordinator);
    const sent: unknown[] = [];
    coordinator.connection.subscribe("tasks.renew.a", {
      callback: (_, message) => {
        sent.push(message.json<Json>().progress);
      },
    });
    await coordinator.connection.flush();
    const work = new HeldWork();
    const worker = library.coordinator.work({ session: "s1" }, work.handler);
    const { context, finish } = await work.nth(1);
    for (let percent = 1; percent <= 50; percent++) context.progress({ percent });
    const shows =
      (percent: number) =>
      ({ lease }: Json) =>
        lease?.progress?.percent === percent;
    await coordinator.until("tasks.get.a", shows(1));
    await coordinator.until("tasks.get.a", shows(50));
    assert.deepEqual(sent, [{ percent: 1 }, { percent: 50 }]);
    context.progress({ percent: 99 });
    finish();
    await worker.stop();
    context.progress({ percent: 100 });
    await coordinator.connection.flush();
    assert.equal(sent.length, 2);
    assert.deepEqual(library.complaints, []);
  });

  it("that cannot be reported is logged, and the work continues", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.a");
    await using library = await Library.connect(coordinator);
    const work = new HeldWork();
    const worker = library.coordinator.work({ session: "s1" }, work.handler);
    const { context, finish } = await work.nth(1);
    context.progress("x".repeat(5_000));
    await library.log.noted("warn", /the progress of a was not reported.*4096/);
    context.progress(1n);
    await library.log.noted("warn", /the progress of a was not reported.*BigInt/);
    finish("done");
    await worker.stop();
    assert.equal((await coordinator.ok("tasks.get.a")).task.result, "done");
  });
});
