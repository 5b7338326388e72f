/**
 * Many sessions in one process, each with a connection of its own, as agents on many machines have.
 * Started with the URLs of the NATS nodes.
 */
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { quantile } from "../scripts/lab/statistics.ts";
import { serveOrders } from "./child.ts";
import type { Arrival, CrowdOrder, Lived } from "./crowd-orders.ts";
import { liveOn } from "./crowd-life.ts";
import { monotonicMs } from "./monotonic.ts";

/** More at once, and the server takes too long to greet each. */
const CONNECTED_AT_ONCE = 100;

const servers = process.argv.slice(2);
const connections: NatsConnection[] = [];
/** The message that all are to get, and when each of them has. */
let expected: { readonly name: string; readonly times: number[] } = { name: "", times: [] };
let hasArrived: () => void = () => undefined;

async function obey(order: CrowdOrder): Promise<null | Arrival | Lived> {
  switch (order.kind) {
    case "connect":
      return await connectAll(order.count);
    case "subscribe":
      return await subscribeAll(order.prefixes);
    case "expect":
      expected = { name: order.name, times: [] };
      return null;
    case "arrival":
      return await arrival();
    case "live":
      return await liveOn(connections, order);
  }
}

async function connectAll(count: number): Promise<null> {
  while (connections.length < count) {
    const some = Math.min(CONNECTED_AT_ONCE, count - connections.length);
    const connecting = Array.from({ length: some }, () =>
      connect({ servers, name: "bench session", noRandomize: true, timeout: 60_000 }),
    );
    connections.push(...(await Promise.all(connecting)));
  }
  return null;
}

/** @param prefixes of subjects; what follows is the name that is expected */
async function subscribeAll(prefixes: readonly string[]): Promise<null> {
  for (const connection of connections) {
    for (const prefix of prefixes) {
      connection.subscribe(`${prefix}*`, {
        callback: (_error, { subject }) => {
          if (!subject.endsWith(expected.name)) return;
          if (expected.times.push(monotonicMs()) === connections.length) hasArrived();
        },
      });
    }
  }
  await Promise.all(connections.map((connection) => connection.flush()));
  return null;
}

async function arrival(): Promise<Arrival> {
  const { times } = expected;
  await new Promise<void>((resolve) => {
    hasArrived = resolve;
    if (times.length >= connections.length) resolve();
  });
  return { median: quantile(times, 0.5), last: Math.max(...times) };
}

serveOrders(obey, async () => {
  await Promise.all(connections.map((connection) => connection.close()));
});
