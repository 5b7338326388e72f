/**
 * How long an event takes to reach many sessions, compared with a message of the same size over core NATS;
 * and how long claims of other tasks take meanwhile, compared with the floor: a request and one write. With
 * sessions that stand still, claims have to wait for the server alone, and not for the sessions' processes.
 */
import { setTimeout as delay } from "node:timers/promises";
import { sharedClockMs } from "../../scripts/lab/child.ts";
import { median } from "../../scripts/lab/statistics.ts";
import { Bystander, type Noticed } from "../bystander.ts";
import { BenchClient } from "../client.ts";
import { Crowd, PROCESSES } from "../crowd.ts";
import { startPlace } from "../place.ts";
import { type Cell, columns } from "../table.ts";
import type { Suite, SuiteContext } from "./suite.ts";

const EVENTS = 21;
const QUIET_CLAIMS = 300;
/** The sessions watch the tasks whose ids begin with it. Others claim other tasks meanwhile. */
const WATCHED = "watched.";
const PLAIN = `bench.fan-out.${WATCHED}`;

export const fanOut: Suite = {
  name: "fan-out",
  what: "one event to many sessions, compared with core NATS",
  async *run(context) {
    const rows: Cell[][] = [];
    for (const sessions of context.isShort ? [1, 100] : [1, 100, 1_000, 10_000]) {
      context.tell(`  ${sessions} sessions`);
      rows.push(await measure(context, sessions));
    }
    yield {
      id: "fan-out",
      title: "From the request of a claim to the callbacks of the sessions that watch the task",
      columns: [
        ...columns(0, "sessions"),
        ...columns(2, "half, ms", "all, ms", "core NATS: half, ms", "core NATS: all, ms"),
        ...columns(2, "all × core NATS", "claims of others, ms", "the same when quiet, ms"),
        ...columns(1, "× quiet", "floor × quiet", "sessions paused: × quiet", "floor × quiet"),
      ],
      rows,
      drawn: { column: 5, names: 1 },
      notes: [
        `Medians of ${EVENTS} events, each followed by a message of the same bytes over core NATS. The sessions have a connection each, in ${PROCESSES} processes. "Claims of others": the median of claims, one at a time, of tasks that nobody watches, while the events go out. The floor is a request and one write, after each of these claims. "Sessions paused": the processes of the sessions stand still, and as many events go out, each when the last one would have arrived.`,
      ],
    };
  },
};

async function measure(context: SuiteContext, sessions: number): Promise<Cell[]> {
  await using place = await startPlace(context);
  await using crowd = await Crowd.start(place.urls);
  await crowd.connect(sessions);
  await crowd.subscribe([`task-updates.${WATCHED}*`, `${PLAIN}*`]);
  await using client = await BenchClient.connect(place.urls);
  await using bystander = await Bystander.start(place.urls);
  const quiet = await bystander.notice(QUIET_CLAIMS);
  const stopBusy = bystander.noticeUntilStopped();
  const events: Spread[] = [];
  const messages: Spread[] = [];
  let record = "";
  for (let i = 0; i < EVENTS; i++) {
    const name = `e${i}`;
    const id = `${WATCHED}${name}`;
    // The creation is an event as well.
    await spreadOf(crowd, name, () =>
      client.request(`tasks.create.${id}`, { title: "A task of the benchmark" }),
    );
    const claim = async (): Promise<void> => {
      record = JSON.stringify((await client.claim(id)).task);
    };
    events.push(await spreadOf(crowd, name, claim));
    const publish = (): Promise<void> => {
      client.connection.publish(`${PLAIN}${name}`, record);
      return client.connection.flush();
    };
    messages.push(await spreadOf(crowd, name, publish));
  }
  const busy = await stopBusy();
  const medians = [events, messages].flatMap((spreads) => [
    median(spreads.map(({ half }) => half)),
    median(spreads.map(({ all }) => all)),
  ]);
  const [, all = NaN, , plainAll = NaN] = medians;
  const paused = await crowd.whilePaused(async () => {
    const stop = bystander.noticeUntilStopped();
    for (let i = 0; i < EVENTS; i++) {
      client.connection.publish(`${PLAIN}p${i}`, record);
      await delay(plainAll);
    }
    return await stop();
  });
  return [
    ...[sessions, ...medians, all / plainAll, median(busy.claims), median(quiet.claims)],
    ...[ratios(busy, quiet), ratios(paused, quiet)].flat(),
  ];
}

/** Of the claims, and of the floor. */
function ratios(noticed: Noticed, quiet: Noticed): number[] {
  return [
    median(noticed.claims) / median(quiet.claims),
    median(noticed.floor) / median(quiet.floor),
  ];
}

/** The milliseconds until half of the sessions, and all, have the message. */
interface Spread {
  readonly half: number;
  readonly all: number;
}

async function spreadOf(
  crowd: Crowd,
  suffix: string,
  send: () => Promise<unknown>,
): Promise<Spread> {
  let sentAt = NaN;
  const arrival = await crowd.receive({ count: 1, suffix }, async () => {
    sentAt = sharedClockMs();
    await send();
  });
  if (arrival.missing > 0) throw new Error(`${arrival.missing} sessions missed ${suffix}`);
  return { half: arrival.median - sentAt, all: arrival.last - sentAt };
}
