/** What happens at twice the capacity. */
import { quantile } from "../../scripts/lab/statistics.ts";
import { ClaimsByTheClock, type Offered } from "../claims-by-the-clock.ts";
import { Place } from "../place.ts";
import { memoryOf } from "../processes.ts";
import type { Cell } from "../table.ts";
import { TaskMaker } from "../task-maker.ts";
import type { Suite } from "./suite.ts";

const TIMEOUT_MS = 60_000;
/** Requests under way where the capacity is measured. */
const IN_FLIGHT = 256;

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
      const ids = await maker.make(Math.ceil(most * share * seconds));
      const before = memoryOf(worker);
      const outcome = await new ClaimsByTheClock(maker.connection).offer(ids, most * share);
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

function rowOf(name: string, outcome: Offered, before: number, after: number): Cell[] {
  const { offeredPerSecond, seconds, succeeded, overloaded, failed } = outcome;
  return [
    ...[name, offeredPerSecond, succeeded.length / seconds],
    ...[quantile(succeeded, 0.5), quantile(succeeded, 0.99), overloaded, failed, before, after],
  ];
}
