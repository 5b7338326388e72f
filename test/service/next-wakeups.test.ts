import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Kvm } from "@nats-io/kv";
import { CoordinatorError } from "../../src/protocol/errors.ts";
import { withFaults } from "../support/faulty-stores.ts";
import { HeldWatch } from "../support/held-watch.ts";
import { askNext, idsOf, next, parked } from "../support/next-requests.ts";
import { type Json, TestCoordinator } from "../support/test-coordinator.ts";

/** A request that is answered within half of this time was woken before its time was over. */
const WAIT_SECONDS = 30;

/** Resolves with the answer. Rejects if the answer came because the time was over. */
async function woken(answer: Promise<Json>): Promise<Json> {
  const askedAt = Date.now();
  const reply = await answer;
  assert.ok(Date.now() - askedAt < (WAIT_SECONDS / 2) * 1_000, "it slept to the end");
  return reply;
}

describe("a completion that makes several tasks available", () => {
  it("wakes every request that waits for one of them, with any filter", async () => {
    await using coordinator = await TestCoordinator.start();
    await coordinator.ok("tasks.create.root");
    for (const id of ["a", "b", "c"]) {
      await coordinator.ok(`tasks.create.${id}`, { depends_on: ["root"] });
    }
    await coordinator.ok("tasks.claim.root", { session_id: "r" });
    const waiting = ["x", "y", "z"].map((capability) =>
      woken(
        next(coordinator, `s-${capability}`, {
          wait_seconds: WAIT_SECONDS,
          capabilities: [capability],
        }),
      ),
    );
    await parked(coordinator, 3);
    await coordinator.ok("tasks.release.root", { session_id: "r", status: "complete" });
    const given = (await Promise.all(waiting)).flatMap(idsOf);
    assert.deepEqual(given.sort(), ["a", "b", "c"]);
  });
});

describe("a task that could not be claimed for the request that waited first", () => {
  it("goes to another request that waits", async () => {
    let isBroken = false;
    await using coordinator = await TestCoordinator.start({
      wrapStores: withFaults({
        tasks: {
          write: (real) => (prepared, expected) => {
            if (!isBroken || prepared.task.status !== "claimed")
              return real.write(prepared, expected);
            isBroken = false;
            return Promise.reject(new CoordinatorError("unavailable", "an election"));
          },
        },
      }),
    });
    const first = askNext(coordinator, "s1", { wait_seconds: WAIT_SECONDS });
    await parked(coordinator, 1);
    const second = woken(next(coordinator, "s2", { wait_seconds: WAIT_SECONDS }));
    await parked(coordinator, 2);
    isBroken = true;
    await coordinator.ok("tasks.create.a");
    const { error } = await woken(first);
    assert.deepEqual([error.code, error.retryable], ["unavailable", true]);
    assert.deepEqual(idsOf(await second), ["a"]);
  });
});

describe("a worker that does not see a claim made elsewhere", () => {
  it("tries to claim the task once for all requests, and answers that it lags behind", async () => {
    await using lagging = await Lagging.start();
    const { coordinator } = lagging;
    const waiting = askNext(coordinator, "s1", { wait_seconds: 1 });
    await coordinator.fact("write_conflict", () => true, lagging.since);
    const { error } = await askNext(coordinator, "s2");
    assert.deepEqual([error.code, error.retryable], ["unavailable", true]);
    assert.equal((await waiting).error.code, "unavailable");
    assert.equal(lagging.claims, 1);
  });

  it("answers once it has seen the claim, and goes on serving parked requests", async () => {
    await using lagging = await Lagging.start();
    const { coordinator } = lagging;
    const atOnce = next(coordinator, "s1");
    await coordinator.fact("write_conflict", () => true, lagging.since);
    const waiting = next(coordinator, "s2", { wait_seconds: WAIT_SECONDS });
    lagging.watch.release();
    const { claims, reasons } = await atOnce;
    assert.deepEqual([claims, reasons], [[], { claimed: 1 }]);
    await parked(coordinator, 1);
    assert.equal(lagging.claims, 1);
    await coordinator.ok("tasks.create.b");
    assert.deepEqual(idsOf(await woken(waiting)), ["b"]);
  });
});

/** A coordinator whose only worker believes that task `a` is available, while another has claimed it. */
class Lagging implements AsyncDisposable {
  readonly coordinator: TestCoordinator;
  readonly watch: HeldWatch;
  readonly since: number;
  readonly #writes: { claims: number };

  private constructor(coordinator: TestCoordinator, watch: HeldWatch, writes: { claims: number }) {
    this.coordinator = coordinator;
    this.watch = watch;
    this.since = coordinator.facts.length;
    this.#writes = writes;
  }

  static async start(): Promise<Lagging> {
    const watch = new HeldWatch();
    const writes = { claims: 0 };
    const counted = withFaults({
      tasks: {
        write: (real) => (prepared, expected) => {
          if (prepared.task.status === "claimed") writes.claims++;
          return real.write(prepared, expected);
        },
      },
    });
    const coordinator = await TestCoordinator.start({
      wrapStores: (stores) => counted(watch.wrapStores(stores)),
    });
    await coordinator.ok("tasks.create.a");
    await coordinator.ok("tasks.stats");
    watch.hold();
    await claimElsewhere(coordinator, "a");
    return new Lagging(coordinator, watch, writes);
  }

  /** How often the worker has tried to write a claim. */
  get claims(): number {
    return this.#writes.claims;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.coordinator[Symbol.asyncDispose]();
  }
}

/** Writes a claim as another worker would. */
async function claimElsewhere(coordinator: TestCoordinator, taskId: string): Promise<void> {
  const kv = await new Kvm(coordinator.connection).open("tasks");
  const record = (await kv.get(taskId))?.json<object>();
  const claimed = { ...record, status: "claimed", claimed_by: "other", attempt: 1 };
  await kv.put(taskId, JSON.stringify(claimed));
}
