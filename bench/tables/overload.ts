/** Claims at twice the capacity. */
import { setTimeout as delay } from "node:timers/promises";
import { createInbox, type NatsConnection } from "@nats-io/transport-node";
import { quantile } from "../../scripts/lab/statistics.ts";
import { BenchClient } from "../client.ts";
import { runLoad } from "../load.ts";
import { startPlace, workerPid } from "../place.ts";
import { memoryOf } from "../processes.ts";
import { type Cell, columns } from "../table.ts";
import type { Suite } from "./suite.ts";

/** Requests in flight while the capacity is measured. */
const IN_FLIGHT = 256;
/** More than any worker can claim. */
const MOST_PER_SECOND = 12_000;

const TICK_MS = 5;
/** How long to wait for the last answers. */
const PATIENCE_MS = 60_000;
const BODY = Buffer.from(JSON.stringify({ session_id: "crowd", ttl_seconds: 3_600 }));
const SUCCESS = Buffer.from('{"ok":true');

export const overload: Suite = {
  name: "overload",
  what: "claims at half, once and twice the capacity",
  async *run(context) {
    await using place = await startPlace(context);
    await using client = await BenchClient.connect(place.urls);
    const seconds = context.isShort ? 2 : 15;
    await capacity(client, 1);
    const most = await capacity(client, seconds / 3);
    const rows: Cell[][] = [];
    for (const share of [0.5, 1, 2]) {
      const ids = await client.make(Math.ceil(most * share * seconds));
      const before = memoryOf(workerPid(place));
      const offered = await offerClaims(client.connection, ids, most * share);
      rows.push([`${share} x`, ...offered, before, memoryOf(workerPid(place))]);
    }
    yield {
      id: "overload",
      title: `Claims by the clock, at shares of the capacity (${Math.round(most)}/s with ${IN_FLIGHT} in flight)`,
      columns: [
        ...[...columns(0, "offered", "offered/s", "claimed/s"), ...columns(1, "p50 ms", "p99 ms")],
        ...columns(0, "overloaded", "failed", "worker MiB before", "after"),
      ],
      rows,
      drawn: { column: 2, names: 1 },
      notes: [
        "Overloaded: refused at once with the retryable code `overloaded`. Failed: anything else.",
      ],
    };
  },
};

/** Measures the claims a second if each new claim waits for an answer to an earlier one. */
async function capacity(client: BenchClient, seconds: number): Promise<number> {
  const ids = await client.make(Math.ceil(seconds * MOST_PER_SECOND));
  const until = performance.now() + seconds * 1000;
  const claim = async (index: number): Promise<number> => {
    if (performance.now() > until) return 0;
    await client.claim(ids[index] ?? "");
    return 1;
  };
  return (await runLoad(claim, { inFlight: IN_FLIGHT, count: ids.length })).perSecond;
}

/**
 * Sends claims by the clock, answered or not, as many sessions together do. It does as little as possible
 * for each: a sender of too many requests takes the cores from those that answer them.
 */
async function offerClaims(
  connection: NatsConnection,
  taskIds: readonly string[],
  perSecond: number,
): Promise<number[]> {
  const inbox = `${createInbox()}.`;
  const sentAt: number[] = [];
  const succeeded: number[] = [];
  let [overloaded, failed, answered] = [0, 0, 0];
  const subscription = connection.subscribe(`${inbox}*`, {
    callback: (_error, { subject, data, headers }) => {
      const at = sentAt[Number(subject.slice(inbox.length))] ?? NaN;
      answered++;
      if (SUCCESS.equals(data.subarray(0, SUCCESS.length))) succeeded.push(performance.now() - at);
      else if (headers?.get("Nats-Service-Error") === "overloaded") overloaded++;
      else failed++;
    },
  });
  const from = performance.now();
  const secondsSince = (): number => (performance.now() - from) / 1000;
  while (sentAt.length < taskIds.length) {
    const due = Math.min(taskIds.length, secondsSince() * perSecond);
    while (sentAt.length < due) {
      const n = sentAt.push(performance.now()) - 1;
      connection.publish(`tasks.claim.${taskIds[n] ?? ""}`, BODY, { reply: `${inbox}${n}` });
    }
    await delay(TICK_MS);
  }
  const sending = secondsSince();
  const until = performance.now() + PATIENCE_MS;
  while (answered < taskIds.length && performance.now() < until) await delay(TICK_MS);
  subscription.unsubscribe();
  return [
    ...[taskIds.length / sending, succeeded.length / secondsSince()],
    ...[quantile(succeeded, 0.5), quantile(succeeded, 0.99)],
    ...[overloaded, failed + taskIds.length - answered],
  ];
}
