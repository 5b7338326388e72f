/** Tables of rivals that do the same: how many a second, how long each takes, and what it costs. */
import { compare, type Effort, type Turn } from "../compare.ts";
import type { Round, Scenario } from "../contender.ts";
import type { Figures, Rival } from "../rival.ts";
import type { Cell, Column, Table } from "../table.ts";

export interface Entrant {
  readonly rival: Rival;
  readonly scenario: Scenario;
  /** Default: the rival's. */
  readonly title?: string;
}

export interface Versus extends Pick<Table, "id" | "title" | "notes"> {
  /** The first one is what the others are divided by. */
  readonly entrants: readonly Entrant[];
  readonly loads: readonly Pick<Round, "inFlight" | "batch">[];
  /** What is counted. */
  readonly unit: string;
}

export async function versus(
  { id, title, notes, entrants, loads, unit }: Versus,
  effort: Effort,
): Promise<Table> {
  const rows: Cell[][] = [];
  for (const load of loads) {
    const turns = entrants.map(({ rival, scenario }): Turn => {
      return { rival, round: { scenario, ...load } };
    });
    const figures = await compare(turns, effort);
    const [first] = figures;
    figures.forEach((one, i) => {
      const { rival, title: name = rival.title } = entrants[i] ?? fail();
      rows.push([name, describeLoad(load), ...cellsOf(one, first ?? fail())]);
    });
  }
  const columns: Column[] = [
    { title: "who" },
    { title: "under way" },
    { title: `${unit}/s` },
    { title: "of the first", digits: 2 },
    ...["p50 ms", "p95 ms", "p99 ms"].map((name) => ({ title: name, digits: 2 })),
    { title: "p50 of the first", digits: 2 },
    ...["client", "worker", "server"].map((name) => ({ title: `${name} µs` })),
  ];
  // Of several loads a chart shows the usual one, or the heaviest.
  const load = loads.find(({ inFlight }) => inFlight === 64) ?? loads.at(-1) ?? fail();
  const drawn = { column: 2, names: 1, only: { column: 1, cell: describeLoad(load) } };
  return { id, title, notes: [...notes, ...NOTES], columns, rows, drawn };
}

const NOTES = ["µs: processor time for each, from which follows what more cores would do."];

function describeLoad({ inFlight, batch = 1 }: Pick<Round, "inFlight" | "batch">): string {
  return batch === 1 ? String(inFlight) : `${inFlight} of ${batch}`;
}

function cellsOf(figures: Figures, first: Figures): Cell[] {
  const { perSecond, p50Ms, p95Ms, p99Ms, cpuMicros } = figures;
  return [
    ...[perSecond, perSecond / first.perSecond, p50Ms, p95Ms, p99Ms, p50Ms / first.p50Ms],
    ...[cpuMicros.client, cpuMicros.worker, cpuMicros.server],
  ];
}

function fail(): never {
  throw new Error("no figures");
}
