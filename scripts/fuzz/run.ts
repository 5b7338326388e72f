/** One run: rounds of messages that may change nothing, until enough were sent or something is wrong. */
import fc from "fast-check";
import { expectationOf } from "./expectation.ts";
import { levelProblems } from "./levels.ts";
import type { FuzzMessage } from "./message.ts";
import { type Numbered, type Problem, Rounds, type RoundsOptions, unattributed } from "./rounds.ts";
import type { Sent } from "./sender.ts";
import type { Level, Target } from "./target.ts";

export const ROUND = 1_000;
/** Rounds in which code is compiled and memory is taken that is kept. */
const WARM_UP_ROUNDS = 5;

export interface RunOptions extends RoundsOptions {
  readonly seed: number;
  readonly messages: number;
  /** Called after each round; the next one waits for it. */
  readonly progress?: (sent: number) => void | Promise<void>;
}

export interface RunResult {
  readonly problems: readonly Problem[];
  readonly sent: number;
  /** Made, but not sent: they might have changed something. */
  readonly leftOut: number;
  readonly seconds: number;
  /** How many messages of each source had which outcome. */
  readonly outcomes: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly slowest: Sent | null;
  /** At the beginning, after warming up, and at the end. */
  readonly levels: readonly Level[];
  /** The round in which it ended. */
  readonly lastRound: number;
}

/** Each round has a seed of its own, so that each of its messages can be made without those before. */
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
  const tally = new Tally();
  const levels = [await target.level()];
  await using rounds = await Rounds.open(target, options);
  const problems: Problem[] = [];
  const startedAt = performance.now();
  let round = 0;
  for (; tally.sent < options.messages && problems.length === 0; round++) {
    const all = messagesOfRound(arbitrary, round, options);
    const fitting = all.filter(({ expected }) => expected.kind !== "left out");
    tally.leftOut += all.length - fitting.length;
    const played = await rounds.play(fitting.slice(0, options.messages - tally.sent));
    for (const one of played.sent) tally.add(one);
    problems.push(...played.problems);
    if (round === WARM_UP_ROUNDS - 1) levels.push(await target.level());
    await options.progress?.(tally.sent);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  levels.push(await target.level());
  // What came late.
  problems.push(...(await rounds.play([])).problems);
  problems.push(...levelProblems(levels).map(unattributed));
  return { ...tally.result, problems, seconds, levels, lastRound: round - 1 };
}

/** The counts of a run. */
class Tally {
  sent = 0;
  leftOut = 0;
  #slowest: Sent | null = null;
  readonly #outcomes = new Map<string, Map<string, number>>();

  get result(): Pick<RunResult, "sent" | "leftOut" | "outcomes" | "slowest"> {
    const { sent, leftOut } = this;
    return { sent, leftOut, outcomes: this.#outcomes, slowest: this.#slowest };
  }

  add(sent: Sent): void {
    this.sent++;
    const { source } = sent.message;
    const outcomes = this.#outcomes.get(source) ?? new Map<string, number>();
    this.#outcomes.set(source, outcomes);
    outcomes.set(sent.outcome, (outcomes.get(sent.outcome) ?? 0) + 1);
    if (sent.milliseconds > (this.#slowest?.milliseconds ?? 0)) this.#slowest = sent;
  }
}
