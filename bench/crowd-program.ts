/**
 * Many sessions or subscribers in one process. Each session has a connection of its own, as agents on many
 * machines have. The program is started with the URLs of the NATS nodes.
 */
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { argumentsFromParent, serve, sharedClockMs } from "../scripts/lab/child.ts";
import { QUIET } from "../scripts/lab/clients.ts";
import { quantile } from "../scripts/lab/statistics.ts";
import { Coordinator } from "../src/client/coordinator.ts";
import { EventBus } from "../src/client/event-bus.ts";
import { type Life, liveOn } from "./crowd-life.ts";

/** With more connections at once, the server takes too long to greet each. */
const CONNECTED_AT_ONCE = 100;

/** The messages that each subscriber must receive. */
export interface Expected {
  readonly count: number;
  /** Only messages whose subject ends in it count. */
  readonly suffix: string;
}

export interface Arrival {
  /** When half of the subscribers had all their messages, and when all had, by the shared clock. */
  readonly median: number;
  readonly last: number;
  /** Messages that did not arrive, summed over all subscribers. */
  readonly missing: number;
}

const servers = argumentsFromParent("npm run bench");
const connections: NatsConnection[] = [];
const buses: EventBus[] = [];
/** For each subscriber: how many of the expected messages it has received, and when it had all. */
const received: number[] = [];
let expected: Expected = { count: Infinity, suffix: "" };
let times: number[] = [];
let allArrived: () => void = () => undefined;

function receive(subscriber: number, subject: string): void {
  if (!subject.endsWith(expected.suffix)) return;
  const count = (received[subscriber] ?? 0) + 1;
  received[subscriber] = count;
  if (count !== expected.count) return;
  if (times.push(sharedClockMs()) === received.length) allArrived();
}

const methods = {
  /** Connects this number of sessions. */
  connect: async (count: number) => {
    while (connections.length < count) {
      const some = Math.min(CONNECTED_AT_ONCE, count - connections.length);
      const connecting = Array.from({ length: some }, () =>
        connect({ servers, name: "bench session", noRandomize: true, timeout: 60_000 }),
      );
      connections.push(...(await Promise.all(connecting)));
    }
  },
  /** Each session subscribes to all the subjects. */
  subscribe: async (subjects: readonly string[]) => {
    for (const connection of connections) {
      const subscriber = received.push(0) - 1;
      for (const subject of subjects) {
        connection.subscribe(subject, {
          callback: (_error, message) => {
            receive(subscriber, message.subject);
          },
        });
      }
    }
    await Promise.all(connections.map((connection) => connection.flush()));
  },
  /** Subscribes by the library: on so many connections, and so many times on each. */
  watchTasks: async (count: number, subscriptions: number) => {
    while (buses.length < count) {
      const bus = new EventBus({ backend: "nats", config: { servers }, logger: QUIET });
      buses.push(bus);
      if (!(await bus.connect())) throw new Error("the server cannot be reached");
      const coordinator = new Coordinator(bus);
      for (let i = 0; i < subscriptions; i++) {
        const subscriber = received.push(0) - 1;
        let last = 0;
        await coordinator.subscribeTaskUpdates(({ revision }) => {
          // Each revision of the bucket must follow the one before: an update left out is noticed.
          if (last === 0 || revision === last + 1) receive(subscriber, "");
          last = revision;
        });
      }
    }
  },
  expect: (next: Expected) => {
    expected = next;
    times = [];
    received.fill(0);
  },
  /** Resolves when each subscriber has all its messages, or the time is over. */
  arrival: async (withinMs: number): Promise<Arrival> => {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      allArrived = resolve;
      timer = setTimeout(resolve, withinMs);
      if (times.length >= received.length) resolve();
    });
    clearTimeout(timer);
    const missing = received.reduce((sum, got) => sum + Math.max(0, expected.count - got), 0);
    return { median: quantile(times, 0.5), last: Math.max(...times), missing };
  },
  live: (life: Life) => liveOn(connections, life),
};
export type CrowdMethods = typeof methods;

serve(methods, async () => {
  await Promise.all(connections.map((connection) => connection.close()));
  await Promise.all(buses.map((bus) => bus.disconnect()));
});
