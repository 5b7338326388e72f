/** What the rounds of all peers have in common. */
import { randomUUID } from "node:crypto";
import type { Round } from "../contender.ts";
import type { Operate } from "../load.ts";

/** No round has had it before, nor one of an earlier run against the same server. */
export function freshName(): string {
  return `r${randomUUID().slice(0, 8)}`;
}

/** In the order of their numbers, also when sorted. */
export function taskId(round: string, index: number): string {
  return `${round}-${String(index).padStart(8, "0")}`;
}

export function range<T>(count: number, item: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => item(index));
}

export function chunks<T>(items: readonly T[], size: number): T[][] {
  return range(Math.ceil(items.length / size), (i) => items.slice(i * size, (i + 1) * size));
}

/** There are as many sessions as operations under way. */
export function sessionOf(index: number, { inFlight }: Round): string {
  return `session-${index % inFlight}`;
}

/** @throws Error if there is not as much as was asked for */
export function expectCount(what: string, count: number, expected: number): void {
  if (count !== expected) throw new Error(`${what}: ${count} instead of ${expected}`);
}

/** How many tasks there are to be contended for: each by as many as are under way at a time. */
export function contestCount({ count, inFlight }: Round): number {
  return Math.ceil(count / inFlight);
}

/** All ask for the same task, which is another one each time. @param claim whether it has won */
export function contest(
  round: Round,
  claim: (task: number, index: number) => Promise<boolean>,
): Operate {
  const { count, inFlight } = round;
  const contests = range(contestCount(round), (task) => ({
    open: Math.min(inFlight, count - task * inFlight),
    winners: 0,
  }));
  return async (index) => {
    const task = Math.floor(index / inFlight);
    const contest = contests[task];
    if (contest === undefined) throw new Error(`no task for operation ${index}`);
    if (await claim(task, index)) contest.winners++;
    if (--contest.open === 0) expectCount("winners", contest.winners, 1);
  };
}
