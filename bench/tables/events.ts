/** How many transitions a second reach a hundred subscribers, beside messages of core NATS. */
import { fileURLToPath } from "node:url";
import { Cleanup } from "../../src/cleanup.ts";
import { median } from "../../scripts/lab/statistics.ts";
import { Child } from "../child.ts";
import { FLOOR_RECORD } from "../floor-record.ts";
import { monotonicMs } from "../monotonic.ts";
import { Place } from "../place.ts";
import type { Cell } from "../table.ts";
import { TaskMaker } from "../task-maker.ts";
import type { Watched, WatchersOrder } from "../watchers-orders.ts";
import type { Suite, SuiteContext } from "./suite.ts";

const PROGRAM = fileURLToPath(new URL("../watchers.js", import.meta.url));
const SUBJECT = "bench.events";
const PROCESSES = 4;
const ROUNDS = 3;
const WITHIN_MS = 120_000;

interface Way {
  readonly title: string;
  /** In each process. */
  readonly connections: number;
  readonly subscriptions: number;
  readonly subject: string | null;
}

export const events: Suite = {
  name: "events",
  what: "transitions a second to a hundred subscribers, against core NATS",
  async *run(context) {
    const [subscribers, count] = context.isShort ? [8, 2_000] : [100, 20_000];
    const each = subscribers / PROCESSES;
    const ways: Way[] = [
      { title: "library, a connection a process", connections: 1, subscriptions: each },
      { title: "library, a connection each", connections: each, subscriptions: 1 },
    ].map((way) => ({ ...way, subject: null }));
    const raw = { title: "core NATS", connections: each, subscriptions: 1, subject: SUBJECT };
    await using cleanup = new Cleanup();
    const audiences: Audience[] = [];
    for (const way of [...ways, raw]) {
      context.tell(`  ${way.title}`);
      audiences.push(await gather(context, way, cleanup));
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const audience of audiences) await audience.hear(count);
    }
    yield {
      id: "events",
      title: `Transitions to ${subscribers} subscribers`,
      columns: [
        { title: "subscribers" },
        { title: "made/s" },
        { title: "delivered to all/s" },
        { title: "missing" },
      ],
      rows: audiences.map((audience) => audience.row()),
      drawn: { column: 2, names: 1 },
      notes: [
        `${count} tasks are imported while ${subscribers} subscribers in ${PROCESSES} processes hear of every one; medians of ${ROUNDS} rounds. "Made": acknowledged by the coordinator. "Delivered": until the last subscriber had the last one. For core NATS, messages of a record's size are published as fast as possible, without a coordinator.`,
      ],
    };
  },
};

/** Subscribers of one kind, with a coordinator of their own. */
interface Audience {
  /** A round. */
  hear(count: number): Promise<void>;
  row(): Cell[];
}

async function gather(context: SuiteContext, way: Way, cleanup: Cleanup): Promise<Audience> {
  const { urls } = cleanup.use(await Place.start(context)).cluster;
  const children: Child<WatchersOrder>[] = [];
  for (let i = 0; i < PROCESSES; i++) {
    children.push(cleanup.use(await Child.start<WatchersOrder>(PROGRAM, urls)));
  }
  const askAll = (order: WatchersOrder): Promise<unknown[]> =>
    Promise.all(children.map((child) => child.ask(order)));
  const { title, ...rest } = way;
  await askAll({ kind: "watch", ...rest });
  const maker = cleanup.use(await TaskMaker.connect(urls));
  const [made, delivered]: [number[], number[]] = [[], []];
  let missing = 0;
  return {
    async hear(count) {
      await askAll({ kind: "expect", count });
      const from = monotonicMs();
      await (way.subject === null ? maker.make(count) : publish(maker, way.subject, count));
      made.push((count * 1000) / (monotonicMs() - from));
      const watched = (await askAll({ kind: "arrival", withinMs: WITHIN_MS })) as Watched[];
      const last = Math.max(...watched.map(({ lastAt }) => lastAt));
      delivered.push((count * 1000) / (last - from));
      missing += watched.reduce((sum, one) => sum + one.missing, 0);
    },
    row: () => [title, median(made), median(delivered), missing],
  };
}

async function publish({ connection }: TaskMaker, subject: string, count: number): Promise<void> {
  for (let i = 0; i < count; i++) connection.publish(subject, FLOOR_RECORD);
  await connection.flush();
}
