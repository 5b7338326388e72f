/** The scenarios that follow from what a store of tasks can do. They are the same for all contenders. */
import { randomUUID } from "node:crypto";
import type { Contender, Prepare, Round, Scenario } from "./contender.ts";
import { type Operate, runLoad } from "./load.ts";

export interface TaskStore<Claim> {
  /** Removes the tasks of earlier rounds. @returns the ids of `count` new tasks, in their order */
  readonly begin: (round: Round, count: number) => Promise<readonly string[]>;
  /** Returns `null` if another session has the task. */
  readonly claim?: (id: string, session: string) => Promise<Claim | null>;
  readonly next?: (count: number, session: string) => Promise<readonly Claim[]>;
  readonly complete?: (claim: Claim, session: string) => Promise<unknown>;
  /** The same, and takes the next one in the same request; `null` if there is none. */
  readonly completeForNext?: (claim: Claim, session: string) => Promise<Claim | null>;
  /** @param index of the operation */
  readonly create?: (id: string, index: number) => Promise<unknown>;
  readonly import?: (ids: readonly string[]) => Promise<unknown>;
  readonly renew?: (id: string, session: string) => Promise<unknown>;
}

/** The number of leases that `renew` renews in turn. */
const RENEWED = 1_000;
/** The number of claims in flight before a round. A worker refuses those beyond `limits.in_flight`. */
const CLAIMS_IN_FLIGHT = 64;

export function scenariosOf<Claim>(store: TaskStore<Claim>): Contender["scenarios"] {
  const { begin, claim, next, complete, create, renew } = store;
  const scenarios: Partial<Record<Scenario, Prepare>> = {};
  if (claim !== undefined) {
    scenarios.claim = async (round) => {
      const ids = await begin(round, round.count);
      return (index) => claimNew(store, ids[index], sessionOf(index, round));
    };
    scenarios.contended = async (round) => {
      const ids = await begin(round, contestCount(round));
      return contest(round, async (task, index) => {
        return (await claim(ids[task] ?? "", sessionOf(index, round))) !== null;
      });
    };
  }
  if (next !== undefined) {
    scenarios.next = async (round) => {
      const { count, batch = 1 } = round;
      await begin(round, count * batch);
      return async (index) => {
        const claims = await next(batch, sessionOf(index, round));
        expectCount("taken", claims.length, batch);
        return batch;
      };
    };
  }
  if (store.completeForNext !== undefined) {
    scenarios.complete = completeInLoops(store, store.completeForNext);
  } else if (complete !== undefined) {
    scenarios.complete = async (round) => {
      const { count, batch = 1 } = round;
      const ids = await begin(round, count * batch);
      return async (index) => {
        const session = sessionOf(index, round);
        const claims =
          next === undefined
            ? [await claimNew(store, ids[index], session)]
            : await next(batch, session);
        expectCount("taken", claims.length, batch);
        await Promise.all(claims.map((one) => complete(one, session)));
        return batch;
      };
    };
  }
  if (create !== undefined) {
    scenarios.create = async (round) => {
      await begin(round, 0);
      const name = freshName();
      return (index) => create(taskId(name, index), index);
    };
  }
  if (store.import !== undefined) {
    const importAll = store.import;
    scenarios.import = async (round) => {
      const { batch = 1 } = round;
      await begin(round, 0);
      const name = freshName();
      return async (index) => {
        await importAll(range(batch, (i) => taskId(name, index * batch + i)));
        return batch;
      };
    };
  }
  if (renew !== undefined) {
    scenarios.renew = async (round) => {
      const ids = await begin(round, Math.min(round.count, RENEWED));
      const session = sessionOf(0, round);
      await claimAll(store, ids, session);
      return (index) => renew(ids[index % ids.length] ?? "", session);
    };
  }
  return scenarios;
}

/** At the end of a round, each operation under way holds a task and asks for another one. */
const IN_HANDS = 512;

/** Each operation completes the task that came with the completion before it, as the loop of a worker does. */
function completeInLoops<Claim>(
  { begin, next }: TaskStore<Claim>,
  completeForNext: NonNullable<TaskStore<Claim>["completeForNext"]>,
): Prepare {
  return async (round) => {
    await begin(round, round.count + IN_HANDS);
    const held: { readonly claim: Claim; readonly session: string }[] = [];
    const first = async (session: string): Promise<Claim> => {
      const [claim] = (await next?.(1, session)) ?? [];
      if (claim === undefined) throw new Error("there is no task to take");
      return claim;
    };
    return async (index) => {
      const mine = held.pop();
      const session = mine?.session ?? sessionOf(index, round);
      const claim = await completeForNext(mine?.claim ?? (await first(session)), session);
      if (claim !== null) held.push({ claim, session });
      return 1;
    };
  };
}

/** Claims all for one session, before a round. */
export async function claimAll<Claim>(
  store: TaskStore<Claim>,
  ids: readonly string[],
  session: string,
): Promise<void> {
  const claimOne: Operate = (index) => claimNew(store, ids[index], session);
  await runLoad(claimOne, { inFlight: CLAIMS_IN_FLIGHT, count: ids.length });
}

async function claimNew<C>({ claim }: TaskStore<C>, id = "", session: string): Promise<C> {
  const claimed = (await claim?.(id, session)) ?? null;
  if (claimed === null) throw new Error(`the new task ${id} could not be claimed`);
  return claimed;
}

/** A name that no round had before, not even in an earlier run against the same server. */
export function freshName(): string {
  return `r${randomUUID().slice(0, 8)}`;
}

/** Sorted by id, tasks are in the order of their numbers. */
export function taskId(round: string, index: number): string {
  return `${round}-${String(index).padStart(8, "0")}`;
}

/** The ids of a new round. */
export function freshIds(count: number): string[] {
  const name = freshName();
  return range(count, (index) => taskId(name, index));
}

export function range<T>(count: number, item: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => item(index));
}

export function chunks<T>(items: readonly T[], size: number): T[][] {
  return range(Math.ceil(items.length / size), (i) => items.slice(i * size, (i + 1) * size));
}

/** There are as many sessions as operations in flight. */
export function sessionOf(index: number, { inFlight }: Round): string {
  return `session-${index % inFlight}`;
}

/** @throws Error if the counts differ */
export function expectCount(what: string, count: number, expected: number): void {
  if (count !== expected) throw new Error(`${what}: ${count} instead of ${expected}`);
}

/** The number of contests: in each, as many sessions as operations in flight claim one task. */
function contestCount({ count, inFlight }: Round): number {
  return Math.ceil(count / inFlight);
}

/** Checks that each contest has one winner. @param claim returns whether it has won */
function contest(round: Round, claim: (task: number, index: number) => Promise<boolean>): Operate {
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
