/** One run: rounds of messages that may change nothing, until enough were sent or something is wrong. */
import fc from "fast-check";
import { expectationOf } from "./expectation.ts";
import { type Level, levelProblems } from "./facts.ts";
import type { FuzzMessage } from "./message.ts";
import { type Numbered, type Problem, Rounds, type RoundsOptions, unattributed } from "./rounds.ts";
import type { Sent } from "./sender.ts";
import type { Target } from "./target.ts";

export const ROUND = 1_000;
/** In these rounds code is compiled, and memory is taken that is kept. */
const WARM_UP_ROUNDS = 5;

export interface RunOptions extends RoundsOptions {
  readonly seed: number;
  readonly messages: number;
  /** Called after each round. The next round waits for it. */
  readonly progress?: (sent: number) => void | Promise<void>;
}

export interface RunResult {
  readonly problems: readonly Problem[];
  readonly sent: number;
  /** Messages that were generated, but not sent, because they might have changed something. */
  readonly leftOut: number;
  readonly seconds: number;
  /** For each source of messages, the number of each outcome. */
  readonly outcomes: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly slowest: Sent | null;
  /** At the beginning, after warming up, and at the end. */
  readonly levels: readonly Level[];
  /** The round in which the run ended. */
  readonly lastRound: number;
}

/** Each round has a seed of its own, so that its messages can be generated without those before. */
export function seedOfRound(seed: number, round: number): number {
  return (Math.imul(round + 1, 0x9e3779b1) ^ seed) | 0;
}

export function messagesOfRound(
  arbitrary: fc.Arbitrary<FuzzMessage>,
  round: number,
  { seed }: Pick<RunOptions, "seed">,
): Numbered[] {
  const made = fc.sample(arbitrary, { seed: seedOfRound(seed, round), numRuns: ROUND });
  return made.map((message, i) => {
    return { number: round * ROUND + i, message, expected: expectationOf(message) };
  });
}

export async function runFuzz(
  target: Target,
  arbitrary: fc.Arbitrary<FuzzMessage>,
  options: RunOptions,
): Promise<RunResult> {
  const levels = [await target.level()];
  await using rounds = await Rounds.open(target, options);
  const problems: Problem[] = [];
  const outcomes = new Map<string, Map<string, number>>();
  let slowest: Sent | null = null;
  let [round, sent, leftOut] = [0, 0, 0];
  const startedAt = performance.now();
  for (; sent < options.messages && problems.length === 0; round++) {
    const all = messagesOfRound(arbitrary, round, options);
    const fitting = all.filter(({ expected }) => expected.kind !== "left out");
    leftOut += all.length - fitting.length;
    const played = await rounds.play(fitting.slice(0, options.messages - sent));
    for (const one of played.sent) {
      const { source } = one.message;
      const counts = outcomes.get(source) ?? new Map<string, number>();
      outcomes.set(source, counts);
      count(counts, one.outcome);
      if (one.milliseconds > (slowest?.milliseconds ?? 0)) slowest = one;
    }
    sent += played.sent.length;
    problems.push(...played.problems);
    if (round === WARM_UP_ROUNDS - 1) levels.push(await target.level());
    await options.progress?.(sent);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  levels.push(await target.level());
  // Late effects of the last round.
  problems.push(...(await rounds.play([])).problems);
  problems.push(...levelProblems(levels).map(unattributed));
  return { problems, sent, leftOut, seconds, outcomes, slowest, levels, lastRound: round - 1 };
}

/** Adds one to the count of the name. */
export function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
