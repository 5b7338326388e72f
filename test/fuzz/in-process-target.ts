/** A coordinator in this process, for the fuzz. Its workers may have a planted bug. */
import type { NatsConnection } from "@nats-io/transport-node";
import { type FactCounts, FactCounter, type Level } from "../../scripts/fuzz/facts.ts";
import type { Target } from "../../scripts/fuzz/target.ts";
import { makeWorld } from "../../scripts/fuzz/world.ts";
import { TestCoordinator, type TestCoordinatorOptions } from "../support/test-coordinator.ts";

export class InProcessTarget implements Target {
  readonly workers = 1;
  readonly coordinator: TestCoordinator;

  private constructor(coordinator: TestCoordinator) {
    this.coordinator = coordinator;
  }

  static async start(options: TestCoordinatorOptions = {}): Promise<InProcessTarget> {
    const target = new InProcessTarget(await TestCoordinator.start(options));
    await makeWorld(target.connection);
    return target;
  }

  get port(): number {
    return this.coordinator.server.port;
  }

  get connection(): NatsConnection {
    return this.coordinator.connection;
  }

  facts(): Promise<FactCounts> {
    const counter = new FactCounter();
    for (const fact of this.coordinator.facts) counter.observe(fact);
    return Promise.resolve(counter.counts);
  }

  /** Empty, because the memory is also that of the test. */
  level(): Promise<Level> {
    return Promise.resolve({ heaps: [], subscriptions: [] });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.coordinator[Symbol.asyncDispose]();
  }
}
