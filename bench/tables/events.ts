/** The transitions a second that reach a hundred subscribers, compared with messages of core NATS. */
import { sharedClockMs } from "../../scripts/lab/child.ts";
import { median } from "../../scripts/lab/statistics.ts";
import { Cleanup } from "../../src/cleanup.ts";
import { BenchClient } from "../client.ts";
import { Crowd, PROCESSES } from "../crowd.ts";
import { PLAIN_RECORD } from "../definition.ts";
import { startPlace } from "../place.ts";
import { type Cell, columns } from "../table.ts";
import type { Suite } from "./suite.ts";

const SUBJECT = "bench.events";
const ROUNDS = 3;

/** Subscribers of one kind. They have a coordinator of their own. */
interface Audience {
  readonly title: string;
  readonly crowd: Crowd;
  /** Sends this number of messages to all of them. */
  readonly send: (count: number) => Promise<unknown>;
  readonly made: number[];
  readonly delivered: number[];
  missing: number;
}

export const events: Suite = {
  name: "events",
  what: "transitions a second to a hundred subscribers, compared with core NATS",
  async *run(context) {
    const [subscribers, count] = context.isShort ? [8, 2_000] : [100, 20_000];
    const each = subscribers / PROCESSES;
    await using cleanup = new Cleanup();
    const gather = async (
      title: string,
      subscribe: (crowd: Crowd) => Promise<void>,
      send: (client: BenchClient, count: number) => Promise<unknown>,
    ): Promise<Audience> => {
      context.tell(`  ${title}`);
      const { urls } = cleanup.use(await startPlace(context));
      const crowd = cleanup.use(await Crowd.start(urls));
      await subscribe(crowd);
      const client = cleanup.use(await BenchClient.connect(urls));
      const sendAll = (count: number): Promise<unknown> => send(client, count);
      return { title, crowd, send: sendAll, made: [], delivered: [], missing: 0 };
    };
    const make = (client: BenchClient, count: number): Promise<unknown> => client.make(count);
    const audiences = [
      await gather("library, a connection a process", (crowd) => crowd.watchTasks(1, each), make),
      await gather("library, a connection each", (crowd) => crowd.watchTasks(each, 1), make),
      await gather("core NATS", subscribeAll(subscribers), publish),
    ];
    for (let round = 0; round < ROUNDS; round++) {
      for (const audience of audiences) await hear(audience, count);
    }
    yield {
      id: "events",
      title: `Transitions to ${subscribers} subscribers`,
      columns: columns(0, "subscribers", "made/s", "delivered to all/s", "missing"),
      rows: audiences.map(({ title, made, delivered, missing }): Cell[] => [
        ...[title, median(made), median(delivered), missing],
      ]),
      drawn: { column: 2, names: 1 },
      notes: [
        `${count} tasks are imported while ${subscribers} subscribers in ${PROCESSES} processes receive every update; medians of ${ROUNDS} rounds. "Made": acknowledged by the coordinator. "Delivered": the last subscriber has the last update. For core NATS, messages as long as a record are published as fast as possible, without a coordinator.`,
      ],
    };
  },
};

/** One round. */
async function hear(audience: Audience, count: number): Promise<void> {
  let from = NaN;
  const { last, missing } = await audience.crowd.receive({ count, suffix: "" }, async () => {
    from = sharedClockMs();
    await audience.send(count);
    audience.made.push((count * 1000) / (sharedClockMs() - from));
  });
  audience.delivered.push((count * 1000) / (last - from));
  audience.missing += missing;
}

function subscribeAll(subscribers: number): (crowd: Crowd) => Promise<void> {
  return async (crowd) => {
    await crowd.connect(subscribers);
    await crowd.subscribe([SUBJECT]);
  };
}

async function publish({ connection }: BenchClient, count: number): Promise<void> {
  for (let i = 0; i < count; i++) connection.publish(SUBJECT, PLAIN_RECORD);
  await connection.flush();
}
