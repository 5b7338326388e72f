/**
 * What happens at twice the capacity: requests come by the clock, whether earlier ones are answered or
 * not, as those of many sessions do.
 */
import { setTimeout as delay } from "node:timers/promises";
import { quantile } from "../../scripts/statistics.ts";
import { Place } from "../place.ts";
import { memoryOf } from "../processes.ts";
import type { Cell } from "../table.ts";
import { TaskMaker } from "../task-maker.ts";
import type { Suite } from "./suite.ts";

const TICK_MS = 5;
const TIMEOUT_MS = 60_000;
/** Requests under way where the capacity is measured. */
const IN_FLIGHT = 256;

interface Outcome {
  readonly offered: number;
  readonly seconds: number;
  /** Milliseconds of those that were answered with success. */
  readonly succeeded: readonly number[];
  readonly overloaded: number;
  readonly failed: number;
}

export const overload: Suite = {
  name: "overload",
  what: "claims at half, once and twice the capacity",
  async *run(context) {
    await using place = await Place.start(context);
    await using maker = await TaskMaker.connect(place.cluster.urls);
    const worker = place.cluster.workers[0]?.pid ?? 0;
    const seconds = context.isShort ? 2 : 15;
    await capacity(maker, 1);
    const most = await capacity(maker, seconds / 3);
    const rows: Cell[][] = [];
    for (const share of [0.5, 1, 2]) {
      const before = memoryOf(worker);
      const outcome = await offer(maker, most * share, seconds);
      rows.push(rowOf(`${share} x`, outcome, before, memoryOf(worker)));
    }
    yield {
      id: "overload",
      title: `Claims by the clock, at shares of what it can do (${Math.round(most)}/s at ${IN_FLIGHT} under way)`,
      columns: [
        { title: "offered" },
        { title: "offered/s" },
        { title: "claimed/s" },
        { title: "p50 ms", digits: 1 },
        { title: "p99 ms", digits: 1 },
        { title: "overloaded" },
        { title: "failed" },
        { title: "worker MiB before" },
        { title: "after" },
      ],
      rows,
      drawn: { column: 2, names: 1 },
      notes: [
        "Overloaded: answered at once with a code that says so and that asking again later will do. Failed: anything else.",
      ],
    };
  },
};

/** Claims a second, as many under way as are answered. */
async function capacity(maker: TaskMaker, seconds: number): Promise<number> {
  const ids = await maker.make(Math.ceil(seconds * 12_000));
  const until = performance.now() + seconds * 1000;
  let claimed = 0;
  const lane = async (): Promise<void> => {
    for (let id = ids.pop(); id !== undefined && performance.now() < until; id = ids.pop()) {
      if ((await claim(maker, id)) === "claimed") claimed++;
    }
  };
  const from = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return (claimed * 1000) / (performance.now() - from);
}

async function offer(maker: TaskMaker, perSecond: number, seconds: number): Promise<Outcome> {
  const ids = await maker.make(Math.ceil(perSecond * seconds));
  const succeeded: number[] = [];
  let [overloaded, failed] = [0, 0];
  const ask = async (id: string): Promise<void> => {
    const from = performance.now();
    const told = await claim(maker, id);
    if (told === "claimed") succeeded.push(performance.now() - from);
    else if (told === "overloaded") overloaded++;
    else failed++;
  };
  const asked: Promise<void>[] = [];
  const from = performance.now();
  while (asked.length < ids.length) {
    const due = Math.min(ids.length, ((performance.now() - from) * perSecond) / 1000);
    while (asked.length < due) asked.push(ask(ids[asked.length] ?? ""));
    await delay(TICK_MS);
  }
  await Promise.all(asked);
  const took = (performance.now() - from) / 1000;
  return { offered: ids.length / seconds, seconds: took, succeeded, overloaded, failed };
}

async function claim({ connection }: TaskMaker, id: string): Promise<string> {
  const body = JSON.stringify({ session_id: "crowd", ttl_seconds: 3_600 });
  const options = { timeout: TIMEOUT_MS };
  const message = await connection.request(`tasks.claim.${id}`, body, options);
  const reply = message.json<{
    readonly ok: boolean;
    readonly error?: { readonly code: string };
  }>();
  return reply.ok ? "claimed" : (reply.error?.code ?? "");
}

function rowOf(name: string, outcome: Outcome, before: number, after: number): Cell[] {
  const { offered, seconds, succeeded, overloaded, failed } = outcome;
  return [
    ...[name, offered, succeeded.length / seconds],
    ...[quantile(succeeded, 0.5), quantile(succeeded, 0.99), overloaded, failed, before, after],
  ];
}
