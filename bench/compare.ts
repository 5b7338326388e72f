/**
 * Compares rivals: they take turns (A B A B ...), so that other work of the machine affects all of them,
 * and each figure is the median of several rounds.
 */
import { median } from "../scripts/lab/statistics.ts";
import type { Round } from "./contender.ts";
import { type Figures, perPart, play, type Rival } from "./rival.ts";

export interface Effort {
  readonly rounds: number;
  /** How long a round takes, about. */
  readonly roundMs: number;
}

/** The number of operations follows from the time that a round takes. */
export interface Turn {
  readonly rival: Rival;
  readonly round: Omit<Round, "count">;
}

const TRIAL_MS = 400;
/** The share of a round that runs before it and is not measured: after a pause, a contender is slow. */
const LEAD_IN = 0.5;
/** With more tasks, the benchmark would spend most of its time to create them. */
const MOST_TASKS = 20_000;

/** @returns the medians of the figures, in the order of the turns */
export async function compare(turns: readonly Turn[], effort: Effort): Promise<Figures[]> {
  const players: { turn: Turn; count: number; figures: Figures[] }[] = [];
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

/** Finds the number of operations by two trials. The first also warms everything up. */
async function countFor({ rival, round }: Turn, { roundMs }: Effort): Promise<number> {
  const { inFlight, batch = 1 } = round;
  const within = (count: number): number => {
    const most = Math.max(inFlight, Math.floor(MOST_TASKS / batch));
    return Math.max(inFlight, Math.min(most, Math.ceil(count)));
  };
  let count = within(inFlight * 4);
  for (const ms of [TRIAL_MS, roundMs]) {
    const { perSecond } = await play(rival, { ...round, count });
    count = within(((perSecond / batch) * ms) / 1000);
  }
  return count;
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
    cpuMicros: perPart((part) => of(({ cpuMicros }) => cpuMicros[part])),
  };
}
