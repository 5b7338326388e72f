import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { withFaults } from "../support/faulty-stores.ts";
import { askNext, idsOf, next, parked } from "../support/next-requests.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

/** Holds back calls, and resolves when so many are held. */
class Gate {
  #arrived = 0;
  #expected = Infinity;
  #allArrived: () => void = () => undefined;
  #open: () => void = () => undefined;
  readonly #opened = new Promise<void>((resolve) => {
    this.#open = resolve;
  });

  async pass(): Promise<void> {
    if (++this.#arrived === this.#expected) this.#allArrived();
    await this.#opened;
  }

  arrived(count: number): Promise<void> {
    this.#expected = count;
    if (this.#arrived >= count) return Promise.resolve();
    return new Promise((resolve) => {
      this.#allArrived = resolve;
    });
  }

  open(): void {
    this.#open();
  }
}

describe("the limit on requests in flight", () => {
  it("lets further requests wait, and refuses them after two seconds", async () => {
    const gate = new Gate();
    await using coordinator = await TestCoordinator.start({
      settings: { "limits.in_flight": 3 },
      wrapStores: withFaults({
        tasks: {
          lastRevision: (real) => async () => {
            await gate.pass();
            return real.lastRevision();
          },
        },
      }),
    });
    const underWay = [1, 2, 3].map((i) => askNext(coordinator, `s${i}`));
    await gate.arrived(3);
    const refusals = [
      askNext(coordinator, "s4"),
      askNext(coordinator, "s5", { wait_seconds: 30 }),
      coordinator.request("tasks.create.a"),
    ];
    for (const refused of await Promise.all(refusals)) {
      assert.deepEqual([refused.error.code, refused.error.retryable], ["overloaded", true]);
    }
    gate.open();
    for (const reply of await Promise.all(underWay)) assert.deepEqual(reply.claims, []);
    await coordinator.ok("tasks.create.a");
  });

  it("does not count parked requests", async () => {
    await using coordinator = await TestCoordinator.start({ settings: { "limits.in_flight": 1 } });
    const waiting = [];
    for (let i = 1; i <= 4; i++) {
      waiting.push(next(coordinator, `s${i}`, { wait_seconds: 30 }));
      await parked(coordinator, i);
    }
    for (const [i, answer] of waiting.entries()) {
      await coordinator.ok(`tasks.create.t${i}`);
      // A parked request that is being served is in flight.
      assert.deepEqual(idsOf(await answer), [`t${i}`]);
    }
  });
});
