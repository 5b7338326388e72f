/** Requests in an outage: they are soon answered with "ask again". */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CoordinatorError } from "../../src/protocol/errors.ts";
import type { Stores, WatchedTask, Watch } from "../../src/service/ports.ts";
import { withFaults } from "../support/faulty-stores.ts";
import { askNext, idsOf, parked } from "../support/next-requests.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

/** How long a worker holds a request in a short failure, and what this machine may add to it. */
const ANSWERED_WITHIN_MS = 8_000;

/** A bucket of tasks without a leader: nothing is read or written, and the watch is interrupted. */
class Outage {
  #isOver = true;
  #watch: Watch<WatchedTask> | null = null;
  #missed: WatchedTask[] = [];

  begin(): void {
    this.#isOver = false;
    this.#watch?.restarted();
  }

  /** Lets the store serve again. The watch lags behind until `see`. */
  serve(): void {
    this.#isOver = true;
  }

  see(): void {
    for (const entry of this.#missed) this.#watch?.entry(entry);
    this.#watch?.current();
  }

  readonly wrapStores: (stores: Stores) => Stores = withFaults({
    tasks: {
      load: (real) => (id) => this.#unlessOut(() => real.load(id)),
      lastRevision: (real) => () => this.#unlessOut(() => real.lastRevision()),
      write: (real) => (prepared, expected) =>
        this.#isOver ? real.write(prepared, expected) : Promise.resolve({ kind: "unknown" }),
      watch: (real) => (watch) => {
        this.#watch = watch;
        return real.watch({
          restarted: () => {
            watch.restarted();
          },
          entry: (entry) => {
            this.#missed.push(entry);
            if (this.#isOver) watch.entry(entry);
          },
          current: () => {
            watch.current();
          },
        });
      },
    },
  });

  #unlessOut<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isOver) return work();
    return Promise.reject(new CoordinatorError("unavailable", "the NATS server did not answer"));
  }
}

function assertToAskAgain(reply: Json): void {
  assert.equal(reply.ok, false);
  assert.deepEqual([reply.error.code, reply.error.retryable], ["unavailable", true]);
}

describe("in an outage", () => {
  it("claims, renewals and next are answered with unavailable", async () => {
    const outage = new Outage();
    await using coordinator = await TestCoordinator.start({ wrapStores: outage.wrapStores });
    await coordinator.ok("sessions.register.s1");
    await coordinator.ok("tasks.create.free");
    await coordinator.ok("tasks.create.held");
    await coordinator.ok("tasks.claim.held", { session_id: "s1" });
    outage.begin();
    const asked: readonly (readonly [string, object])[] = [
      ["tasks.claim.free", { session_id: "s1" }],
      ["tasks.claim.held", { session_id: "s2" }],
      ["tasks.renew.held", { session_id: "s1", attempt: 1 }],
      ["tasks.release.held", { session_id: "s1", attempt: 1, status: "complete" }],
      ["sessions.heartbeat.s1", { claims: [{ task_id: "held", attempt: 1 }] }],
      ["tasks.next", { session_id: "s1" }],
      ["tasks.next", { session_id: "s1", wait_seconds: 60 }],
      ["tasks.next", { session_id: "s1", wait_seconds: 60, prefix: "none", request_id: "r1" }],
      ["tasks.list", {}],
    ];
    const replies = asked.map(([subject, body]) =>
      coordinator.request(subject, body, ANSWERED_WITHIN_MS),
    );
    for (const reply of await Promise.all(replies)) assertToAskAgain(reply);

    outage.serve();
    // The store answers, but the worker has not yet seen what it missed.
    assertToAskAgain(await coordinator.request("tasks.next", { session_id: "s1" }));
    outage.see();
    assert.deepEqual(idsOf(await askNext(coordinator, "s1")), ["free"]);
    assert.equal((await coordinator.ok("tasks.get.held")).task.attempt, 1);
  });

  it("parked requests are answered with unavailable when their time is over", async () => {
    const outage = new Outage();
    await using coordinator = await TestCoordinator.start({ wrapStores: outage.wrapStores });
    const waiting = askNext(coordinator, "s1", { wait_seconds: 1 });
    await parked(coordinator, 1);
    outage.begin();
    assertToAskAgain(await waiting);
  });

  it("parked requests are served if the outage is over before their time", async () => {
    const outage = new Outage();
    await using coordinator = await TestCoordinator.start({ wrapStores: outage.wrapStores });
    const waiting = askNext(coordinator, "s1", { wait_seconds: 30 });
    await parked(coordinator, 1);
    outage.begin();
    outage.serve();
    await coordinator.ok("tasks.create.a");
    outage.see();
    assert.deepEqual(idsOf(await waiting), ["a"]);
  });
});
