/**
 * Lets rivals take turns (A B A B ...), so that whatever else the machine does meets all of them, and
 * takes the medians of several rounds.
 */
import { median } from "../scripts/lab/statistics.ts";
import type { Round } from "./contender.ts";
import { type Figures, play, type Rival } from "./rival.ts";

export interface Effort {
  readonly rounds: number;
  /** How long a round is to take, about. */
  readonly roundMs: number;
}

/** Who plays what. `count` is found out: as many as take the time of a round. */
export interface Turn {
  readonly rival: Rival;
  readonly round: Omit<Round, "count">;
}

const TRIAL_MS = 400;
/** A part of a round, before it and not measured: whoever has waited for its turn begins slowly. */
const LEAD_IN = 0.5;
/** More tasks would rather measure how long it takes to make them. */
const MOST = 20_000;

/** The medians of each turn's figures, in the order of the turns. */
export async function compare(turns: readonly Turn[], effort: Effort): Promise<Figures[]> {
  const players: { readonly turn: Turn; readonly count: number; readonly figures: Figures[] }[] =
    [];
  for (const turn of turns) {
    players.push({ turn, count: await countFor(turn, effort), figures: [] });
  }
  for (let round = 0; round < effort.rounds; round++) {
    for (const { turn, count, figures } of players) {
      const leadIn = Math.max(turn.round.inFlight, Math.ceil(count * LEAD_IN));
      await play(turn.rival, { ...turn.round, count: leadIn });
      figures.push(await play(turn.rival, { ...turn.round, count }));
    }
  }
  return players.map(({ figures }) => mediansOf(figures));
}

/** By two trials, of which the first warms everything up. */
async function countFor({ rival, round }: Turn, { roundMs }: Effort): Promise<number> {
  const { inFlight, batch = 1 } = round;
  const enough = (count: number): number => {
    const most = Math.max(inFlight, Math.floor(MOST / batch));
    return Math.max(inFlight, Math.min(most, Math.ceil(count)));
  };
  const first = await play(rival, { ...round, count: enough(inFlight * 4) });
  const operations = (figures: Figures, ms: number): number =>
    ((figures.perSecond / batch) * ms) / 1000;
  const trial = await play(rival, { ...round, count: enough(operations(first, TRIAL_MS)) });
  return enough(operations(trial, roundMs));
}

function mediansOf(rounds: readonly Figures[]): Figures {
  const of = (pick: (figures: Figures) => number): number => median(rounds.map(pick));
  return {
    done: of(({ done }) => done),
    seconds: of(({ seconds }) => seconds),
    perSecond: of(({ perSecond }) => perSecond),
    p50Ms: of(({ p50Ms }) => p50Ms),
    p95Ms: of(({ p95Ms }) => p95Ms),
    p99Ms: of(({ p99Ms }) => p99Ms),
    cpuMicros: {
      client: of(({ cpuMicros }) => cpuMicros.client),
      worker: of(({ cpuMicros }) => cpuMicros.worker),
      server: of(({ cpuMicros }) => cpuMicros.server),
    },
  };
}
