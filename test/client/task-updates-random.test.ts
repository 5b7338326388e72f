import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { describe, it } from "node:test";
import type { Since } from "../../src/index.ts";
import { readHistory } from "../../src/nats/read-history.ts";
import { createRandomFor, type Random } from "../../src/simulation/random.ts";
import { NatsProxy } from "../support/nats-proxy.ts";
import { type ObservedUpdates, UpdateClient } from "../support/observed-updates.ts";
import { SteadyWriter } from "../support/steady-writer.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

const STEPS = 25;
const CALL = { timeoutMs: 500 };

interface Observed {
  readonly seen: ObservedUpdates & { readonly id: string };
  /** The subscription began after a revision in this range. */
  readonly began: readonly [number, number];
}

describe("many subscriptions", () => {
  it("all receive every change, also after faults", async (t) => {
    const seed = randomInt(2 ** 31);
    t.diagnostic(`seed ${seed}`);
    await using world = await World.start(seed);
    for (let i = 0; i < STEPS; i++) await world.step();
    const last = await world.end();
    const history = await readHistory(world.coordinator.connection);
    for (const { seen, began } of world.observed) {
      await seen.until(last);
      const after = (seen.revisions[0] ?? 0) - 1;
      assert.ok(began[0] <= after && after <= began[1], `seed ${seed}: after ${after}`);
      await seen.assertIsHistory(history, { after });
    }
  });
});

class World implements AsyncDisposable {
  readonly coordinator: TestCoordinator;
  readonly observed: Observed[] = [];
  readonly #proxy: NatsProxy;
  /** Two connections: one is cut now and then, the other is not. */
  readonly #clients: readonly [UpdateClient, UpdateClient];
  readonly #writing: UpdateClient;
  readonly #writer: SteadyWriter;
  readonly #random: Random;

  private constructor(
    coordinator: TestCoordinator,
    proxy: NatsProxy,
    [cut, whole, writing]: readonly [UpdateClient, UpdateClient, UpdateClient],
    seed: number,
  ) {
    this.coordinator = coordinator;
    this.#proxy = proxy;
    this.#clients = [cut, whole];
    this.#writing = writing;
    this.#random = createRandomFor(seed, 0);
    this.#writer = new SteadyWriter(writing, createRandomFor(seed, 1));
  }

  static async start(seed: number): Promise<World> {
    const coordinator = await TestCoordinator.start({ workers: 2, settings: { history: 64 } });
    const proxy = await NatsProxy.start(coordinator.server.port);
    const { url } = coordinator.server;
    const clients = [proxy.url, url, url].map((one) => UpdateClient.connect(one));
    const [cut, whole, writing] = await Promise.all(clients);
    assert.ok(cut && whole && writing);
    return new World(coordinator, proxy, [cut, whole, writing], seed);
  }

  async step(): Promise<void> {
    const choice = this.#random();
    if (this.observed.length < 2 || choice < 0.3) await this.#subscribe();
    else if (choice < 0.4) this.#unsubscribe();
    else if (choice < 0.7) {
      this.#proxy.cut();
      await this.#writer.untilWritten(this.#below(30));
      this.#proxy.mend();
    } else if (choice < 0.75) {
      await this.coordinator.server.kill();
      await this.coordinator.server.restart();
    } else await this.#writer.untilWritten(this.#below(50));
  }

  /** Returns the last revision. */
  end(): Promise<number> {
    return this.#writer.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of [...this.#clients, this.#writing]) await client[Symbol.asyncDispose]();
    await this.#proxy[Symbol.asyncDispose]();
    await this.coordinator[Symbol.asyncDispose]();
  }

  async #subscribe(): Promise<void> {
    const client = this.#clients[this.#below(2)];
    assert.ok(client);
    const before = await this.#revision();
    const since = this.#pick<Since>(["now", "beginning", this.#below(before + 1)]);
    const seen = await client.observe({ since }, this.#pick([atOnce, soon, later]));
    if (since === "now") this.observed.push({ seen, began: [before, await this.#revision()] });
    else {
      const after = since === "beginning" ? 0 : since;
      this.observed.push({ seen, began: [after, after] });
    }
  }

  #unsubscribe(): void {
    const [gone] = this.observed.splice(this.#below(this.observed.length), 1);
    const id = gone?.seen.id ?? "";
    assert.ok(this.#clients.some(({ coordinator }) => coordinator.unsubscribe(id)));
  }

  async #revision(): Promise<number> {
    return (await this.#writing.coordinator.tasks.stats(CALL)).revision;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #pick<T>(choices: readonly [T, T, T]): T {
    return choices[this.#below(3)] ?? choices[0];
  }
}

function atOnce(): void {
  // Nothing to do.
}

function soon(): Promise<void> {
  return Promise.resolve();
}

function later(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}
