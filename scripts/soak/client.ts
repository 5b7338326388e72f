/** What every part of the load works with: a connection of its own, chance, and the meter. */
import { Coordinator } from "../../src/client/coordinator.ts";
import { EventBus } from "../../src/client/event-bus.ts";
import { pause } from "../../src/client/waiting.ts";
import type { Random } from "../../src/simulation/random.ts";
import type { Meter } from "./meter.ts";
import { QUIET } from "../lab/quiet-logger.ts";

const RECONNECT_SECONDS = 0.5;

export interface Part {
  /** Unique in the run. */
  readonly id: string;
  readonly urls: readonly string[];
  readonly random: Random;
  readonly meter: Meter;
  /** Aborted when the load ends. */
  readonly signal: AbortSignal;
}

/** A client of the library, gone with its scope; `null` if no server can be reached. */
export class Client implements AsyncDisposable {
  readonly coordinator: Coordinator;
  readonly #bus: EventBus;

  private constructor(bus: EventBus) {
    this.#bus = bus;
    this.coordinator = new Coordinator(bus);
  }

  static async connect({ urls, id: name, meter }: Part): Promise<Client | null> {
    const config = { servers: urls, name, reconnectTimeWait: RECONNECT_SECONDS };
    const bus = new EventBus({ backend: "nats", config, logger: QUIET });
    const isConnected = await bus.connect();
    meter.count(isConnected ? "connect" : "connect in vain");
    return isConnected ? new Client(bus) : null;
  }

  /** As a process that dies: nothing is given back, and nobody is told. */
  async vanish(): Promise<void> {
    await this.#bus.disconnect();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.coordinator.stop({ deadlineMs: 0 });
    await this.#bus.disconnect();
  }
}

/** Until the load ends: what a client does on a connection, again and again on a new one. */
export async function repeatedly(
  part: Part,
  visit: (client: Client) => Promise<void>,
): Promise<void> {
  while (!part.signal.aborted) {
    {
      await using client = await Client.connect(part);
      if (client !== null) await visit(client);
    }
    await rest(part, 0.2, 1);
  }
}

/** Waits for some time between the two, or until the load ends. */
export async function rest({ random, signal }: Part, from: number, to: number): Promise<void> {
  await pause((from + random() * (to - from)) * 1000, signal).catch(() => undefined);
}

/** Whether it happens, with this probability. */
export function happens({ random }: Part, probability: number): boolean {
  return random() < probability;
}
