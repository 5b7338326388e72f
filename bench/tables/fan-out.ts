/**
 * How long an event takes to many sessions, beside a message of the same size that NATS carries without
 * a coordinator; and what claims of others take meanwhile.
 */
import { connect } from "@nats-io/transport-node";
import { median } from "../../scripts/lab/statistics.ts";
import { Claimant } from "../claimant.ts";
import { Crowd } from "../crowd-process.ts";
import type { Arrival } from "../crowd-orders.ts";
import { monotonicMs } from "../monotonic.ts";
import { Place } from "../place.ts";
import type { Cell, Table } from "../table.ts";
import type { Suite, SuiteContext } from "./suite.ts";

/** Of sessions; the clients of all of them share the cores with the server. */
const PROCESSES = 4;
const EVENTS = 21;
const QUIET_CLAIMS = 300;
/** Of tasks that the sessions watch, and not of those that others claim meanwhile. */
const WATCHED = "watched.";
const PREFIXES = [`task-updates.${WATCHED}`, `bench.fan-out.${WATCHED}`];

interface Spread {
  readonly median: number[];
  readonly last: number[];
}

export const fanOut: Suite = {
  name: "fan-out",
  what: "one event to many sessions, against core NATS",
  async *run(context) {
    const rows: Cell[][] = [];
    for (const sessions of context.isShort ? [1, 100] : [1, 100, 1_000, 10_000]) {
      context.tell(`  ${sessions} sessions`);
      rows.push(await measure(context, sessions));
    }
    yield table(rows);
  },
};

function table(rows: readonly (readonly Cell[])[]): Table {
  return {
    id: "fan-out",
    title: "From the request of a claim to the callbacks of the sessions that watch the task",
    columns: [
      { title: "sessions" },
      { title: "half, ms", digits: 2 },
      { title: "all, ms", digits: 2 },
      { title: "core NATS: half, ms", digits: 2 },
      { title: "core NATS: all, ms", digits: 2 },
      { title: "all, of core NATS", digits: 2 },
      { title: "claims of others, ms", digits: 2 },
      { title: "the same when it is quiet, ms", digits: 2 },
    ],
    rows,
    drawn: { column: 5, names: 1 },
    notes: [
      `Medians of ${EVENTS} events, each followed by a message of the same bytes over core NATS. The sessions have a connection each, in ${PROCESSES} processes. "Of others": the median of claims, one at a time, of a task that nobody watches while the events go out.`,
    ],
  };
}

async function measure(context: SuiteContext, sessions: number): Promise<Cell[]> {
  await using place = await Place.start(context);
  const { urls } = place.cluster;
  await using crowd = await Crowd.start(urls, { sessions, processes: PROCESSES });
  await crowd.subscribe(PREFIXES);
  const connection = await connect({ servers: [...urls] });
  try {
    const claimant = new Claimant(connection);
    const quiet = await claimant.claims(QUIET_CLAIMS);
    const others = claimant.claimsUntilStopped();
    const events: Spread = { median: [], last: [] };
    const messages: Spread = { median: [], last: [] };
    for (let i = 0; i < EVENTS; i++) {
      const name = `e${i}`;
      const id = `${WATCHED}${name}`;
      // That it is there is an event as well.
      await timed(crowd, name, () => claimant.create(id));
      let record = "";
      const claim = async (): Promise<void> => {
        record = await claimant.claim(id);
      };
      add(events, await timed(crowd, name, claim));
      const subject = `bench.fan-out.${WATCHED}${name}`;
      const publish = (): Promise<void> => {
        connection.publish(subject, record);
        return connection.flush();
      };
      add(messages, await timed(crowd, name, publish));
    }
    const meanwhile = await others();
    const [all, rawAll] = [median(events.last), median(messages.last)];
    return [
      ...[sessions, median(events.median), all, median(messages.median), rawAll, all / rawAll],
      ...[median(meanwhile), median(quiet)],
    ];
  } finally {
    await connection.close();
  }
}

async function timed(crowd: Crowd, name: string, send: () => Promise<unknown>): Promise<Arrival> {
  let sentAt = NaN;
  const arrived = await crowd.expect(name, async () => {
    sentAt = monotonicMs();
    await send();
  });
  return { median: arrived.median - sentAt, last: arrived.last - sentAt };
}

function add(to: Spread, arrival: Arrival): void {
  to.median.push(arrival.median);
  to.last.push(arrival.last);
}
