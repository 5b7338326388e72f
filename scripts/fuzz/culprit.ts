/** Finds the message that causes a problem, and the smallest message like it. */
import fc from "fast-check";
import { expectationOf } from "./expectation.ts";
import type { FuzzMessage } from "./message.ts";
import { type Numbered, type Problem, Rounds, type RoundsOptions } from "./rounds.ts";
import { messagesOfRound, ROUND, seedOfRound } from "./run.ts";
import type { Target } from "./target.ts";

const ALONE: RoundsOptions = { settleMs: 10, deadlineMs: 3_000 };
const SHRINK_FOR_MS = 60_000;

export interface Search {
  readonly arbitrary: fc.Arbitrary<FuzzMessage>;
  readonly seed: number;
  /** Starts a coordinator that no message has reached yet. */
  readonly start: () => Promise<Target>;
}

export interface Culprit extends Problem {
  readonly message: FuzzMessage;
}

/** Sends the messages of a round one at a time, until something is wrong. */
export async function findCulprit(search: Search, round: number): Promise<Culprit | null> {
  await using target = await search.start();
  await using rounds = await Rounds.open(target, ALONE);
  for (const one of messagesOfRound(search.arbitrary, round, search)) {
    const what = await problemWith(rounds, one);
    if (what !== null) return { what, number: one.number, message: one.message };
  }
  return null;
}

/** The smallest message found that causes any problem. After each problem, the coordinator is a new one. */
export async function shrink(search: Search, number: number): Promise<Culprit | null> {
  let smallest: Culprit | null = null;
  let target = await search.start();
  let rounds = await Rounds.open(target, ALONE);
  const end = async (): Promise<void> => {
    await rounds[Symbol.asyncDispose]();
    await target[Symbol.asyncDispose]();
  };
  try {
    const isHarmless = fc.asyncProperty(search.arbitrary, async (message) => {
      const expected = expectationOf(message);
      const what = await problemWith(rounds, { number, message, expected });
      if (what === null) return;
      smallest = { what, number, message };
      await end();
      target = await search.start();
      rounds = await Rounds.open(target, ALONE);
      throw new Error(what);
    });
    await fc.check(isHarmless, {
      seed: seedOfRound(search.seed, Math.floor(number / ROUND)),
      path: String(number % ROUND),
      numRuns: 1,
      interruptAfterTimeLimit: SHRINK_FOR_MS,
    });
  } finally {
    await end();
  }
  return smallest;
}

/** Sends one message. @returns what is wrong then, or `null` */
async function problemWith(rounds: Rounds, one: Numbered): Promise<string | null> {
  if (one.expected.kind === "left out") return null;
  const { problems } = await rounds.play([one]);
  return problems.length === 0 ? null : problems.map(({ what }) => what).join("\n  ");
}
