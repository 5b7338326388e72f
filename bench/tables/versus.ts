/** Tables of rivals that do the same: the rate, the latency and the processor time of each. */
import { compare, type Effort } from "../compare.ts";
import type { Round, Scenario } from "../contender.ts";
import type { Rival } from "../rival.ts";
import { type Cell, columns, type Table } from "../table.ts";

export interface Entrant {
  readonly rival: Rival;
  readonly scenario: Scenario;
  /** Default: the title of the rival. */
  readonly title?: string;
}

type LoadOf = Pick<Round, "inFlight" | "batch">;

export interface Versus extends Pick<Table, "id" | "title"> {
  readonly notes?: readonly string[];
  /** Where an acknowledged write is, for each rival. */
  readonly durability?: readonly string[];
  /** The figures of the others are divided by those of the first. */
  readonly entrants: readonly Entrant[];
  readonly loads: readonly LoadOf[];
  /** What is counted. */
  readonly unit: string;
}

const LEGEND = [
  "× first: divided by the figure of the first row with the same load.",
  "µs: processor time for each, from which follows what more cores would do.",
];

export async function versus(effort: Effort, about: Versus): Promise<Table> {
  const { id, title, notes = [], durability = [], entrants, loads, unit } = about;
  const rows: Cell[][] = [];
  for (const load of loads) {
    const turns = entrants.map(({ rival, scenario }) => ({ rival, round: { scenario, ...load } }));
    const figures = await compare(turns, effort);
    for (const [i, { perSecond, p50Ms, p95Ms, p99Ms, cpuMicros }] of figures.entries()) {
      const first = figures[0] ?? fail();
      const { rival, title: name = rival.title } = entrants[i] ?? fail();
      rows.push([
        ...[name, describeLoad(load), perSecond, perSecond / first.perSecond],
        ...[p50Ms, p95Ms, p99Ms, p50Ms / first.p50Ms],
        ...[cpuMicros.client, cpuMicros.worker, cpuMicros.server],
      ]);
    }
  }
  // If there are several loads, the chart shows the usual one, or the heaviest.
  const load = loads.find(({ inFlight }) => inFlight === 64) ?? loads.at(-1) ?? fail();
  return {
    ...{ id, title, notes, legend: [...durability, ...LEGEND], rows },
    columns: [
      ...columns(0, "who", "in flight", `${unit}/s`),
      ...columns(2, "× first", "p50 ms", "p95 ms", "p99 ms", "p50 × first"),
      ...columns(0, "client µs", "worker µs", "server µs"),
    ],
    drawn: { column: 2, names: 1, only: { column: 1, cell: describeLoad(load) } },
  };
}

function describeLoad({ inFlight, batch = 1 }: LoadOf): string {
  return batch === 1 ? String(inFlight) : `${inFlight} of ${batch}`;
}

function fail(): never {
  throw new Error("no figures");
}
