/**
 * Subscribers in one process: those of the library, and such of core NATS as do nothing but count.
 * Started with the URLs of the NATS nodes.
 */
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { QUIET } from "../scripts/lab/quiet-logger.ts";
import { Coordinator } from "../src/client/coordinator.ts";
import { EventBus } from "../src/client/event-bus.ts";
import { serveOrders } from "./child.ts";
import { monotonicMs } from "./monotonic.ts";
import type { Watched, WatchersOrder } from "./watchers-orders.ts";

const servers = process.argv.slice(2);
const closes: (() => Promise<void>)[] = [];
/** What each subscriber has got since it was told to expect something. */
let counts: number[] = [];
let expected = Infinity;
let lastAt = NaN;
let hasAllOfIt: () => void = () => undefined;

function count(subscriber: number): void {
  const got = (counts[subscriber] ?? 0) + 1;
  counts[subscriber] = got;
  if (got !== expected || counts.some((other) => other < expected)) return;
  lastAt = monotonicMs();
  hasAllOfIt();
}

async function obey(order: WatchersOrder): Promise<null | Watched> {
  switch (order.kind) {
    case "watch":
      for (let i = 0; i < order.connections; i++) {
        await (order.subject === null
          ? watchTasks(order.subscriptions)
          : watchSubject(order.subject, order.subscriptions));
      }
      return null;
    case "expect":
      counts = counts.map(() => 0);
      expected = order.count;
      return null;
    case "arrival":
      return await arrival(order.withinMs);
  }
}

/** Each update has to be the next one of the bucket: what is left out would be noticed. */
async function watchTasks(subscriptions: number): Promise<void> {
  const bus = new EventBus({ backend: "nats", config: { servers }, logger: QUIET });
  if (!(await bus.connect())) throw new Error("the server cannot be reached");
  const coordinator = new Coordinator(bus);
  for (let i = 0; i < subscriptions; i++) {
    const subscriber = counts.push(0) - 1;
    let last = 0;
    await coordinator.subscribeTaskUpdates(({ revision }) => {
      if (last === 0 || revision === last + 1) count(subscriber);
      last = revision;
    });
  }
  closes.push(async () => {
    await coordinator.stop();
    await bus.disconnect();
  });
}

async function watchSubject(subject: string, subscriptions: number): Promise<void> {
  const connection: NatsConnection = await connect({ servers, name: "bench watcher" });
  for (let i = 0; i < subscriptions; i++) {
    const subscriber = counts.push(0) - 1;
    connection.subscribe(subject, {
      callback: () => {
        count(subscriber);
      },
    });
  }
  await connection.flush();
  closes.push(() => connection.close());
}

async function arrival(withinMs: number): Promise<Watched> {
  let timer: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    hasAllOfIt = resolve;
    timer = setTimeout(resolve, withinMs);
    if (counts.every((got) => got >= expected)) resolve();
  });
  clearTimeout(timer);
  const missing = counts.reduce((sum, got) => sum + Math.max(0, expected - got), 0);
  return { lastAt, missing };
}

serveOrders(obey, async () => {
  await Promise.all(closes.map((close) => close()));
});
