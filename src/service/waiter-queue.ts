/**
 * Requests that wait, in the order in which they came.
 *
 * Those with the same filter form a group, so that what became ready is matched against a few filters
 * and not against thousands of requests.
 */
import type { ReadyFilter } from "../task/ready-queue.ts";
import { SortedList } from "../task/sorted-list.ts";

interface AnyAsker {
  readonly sessionId: string;
  readonly filter: ReadyFilter;
}

/** A request that waits; one of `answer` and `fail` ends it. */
export interface Waiter<Asker, Result> {
  readonly asker: Asker;
  answer(result: Result): void;
  fail(error: unknown): void;
}

interface Parked<Asker, Result> extends Waiter<Asker, Result> {
  readonly place: number;
  readonly group: string;
  /** Ends the wait without a result. */
  dismiss(): void;
  /** Its time ended while it was taken out. */
  isOverdue: boolean;
}

interface Group<Asker, Result> {
  readonly filter: ReadyFilter;
  readonly parked: SortedList<Parked<Asker, Result>>;
}

export class WaiterQueue<Asker extends AnyAsker, Result> {
  readonly #groups = new Map<string, Group<Asker, Result>>();
  readonly #bySession = new Map<string, Set<Parked<Asker, Result>>>();
  /** Those that were taken out and are not yet answered. */
  readonly #taken = new Map<Waiter<Asker, Result>, Parked<Asker, Result>>();
  #size = 0;
  #places = 0;

  get size(): number {
    return this.#size;
  }

  /** Those of a session who wait and have not been taken out. */
  ofSession(sessionId: string): Waiter<Asker, Result>[] {
    return [...(this.#bySession.get(sessionId) ?? [])];
  }

  /** Up to `count` of those who wait and have not been taken out, the one that came first first. */
  oldest(count: number, fits: (asker: Asker) => boolean): Waiter<Asker, Result>[] {
    return [...this.#groups.values()]
      .flatMap(({ parked }) => [...parked].filter(({ asker }) => fits(asker)))
      .sort((a, b) => a.place - b.place)
      .slice(0, count);
  }

  /** Ends a wait with the result, unless the waiter has been taken out: it is answered in a moment. */
  end(waiter: Waiter<Asker, Result>, result: Result): void {
    if (!this.#taken.has(waiter)) waiter.answer(result);
  }

  /** Resolves with the answer, or with `null` when the time is over. */
  wait(asker: Asker, timeoutMs: number): Promise<Result | null> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        if (!this.#taken.delete(parked)) this.#remove(parked);
      };
      const parked: Parked<Asker, Result> = {
        asker,
        place: this.#places++,
        group: JSON.stringify(asker.filter),
        answer: (result) => {
          end();
          resolve(result);
        },
        fail: (error) => {
          end();
          reject(error instanceof Error ? error : new Error(String(error)));
        },
        dismiss: () => {
          end();
          resolve(null);
        },
        isOverdue: false,
      };
      const timer = setTimeout(() => {
        // One that is being served gets its answer in a moment.
        if (this.#taken.has(parked)) parked.isOverdue = true;
        else parked.dismiss();
      }, timeoutMs);
      this.#add(parked);
    });
  }

  /**
   * Takes out the first waiter whose filter fits; of its session's waiters that fit, the newest. To be
   * answered, failed, or put back.
   */
  take(fits: (filter: ReadyFilter) => boolean): Waiter<Asker, Result> | null {
    let chosen: Parked<Asker, Result> | undefined;
    for (const { filter, parked } of this.#groups.values()) {
      const first = parked.first();
      if (first === undefined || (chosen !== undefined && chosen.place < first.place)) continue;
      if (fits(filter)) chosen = first;
    }
    if (chosen === undefined) return null;
    for (const other of this.#bySession.get(chosen.asker.sessionId) ?? []) {
      if (other.place > chosen.place && fits(other.asker.filter)) chosen = other;
    }
    this.#remove(chosen);
    this.#taken.set(chosen, chosen);
    return chosen;
  }

  /** Returns a waiter to its place, or ends its wait if its time is over. */
  putBack(waiter: Waiter<Asker, Result>): void {
    const parked = this.#taken.get(waiter);
    if (parked === undefined) return;
    if (parked.isOverdue) {
      parked.dismiss();
      return;
    }
    this.#taken.delete(waiter);
    this.#add(parked);
  }

  dismissAll(): void {
    const all = [...this.#groups.values()].flatMap(({ parked }) => [...parked]);
    for (const parked of all) parked.dismiss();
  }

  #add(parked: Parked<Asker, Result>): void {
    const { filter, sessionId } = parked.asker;
    let group = this.#groups.get(parked.group);
    if (group === undefined) {
      group = { filter, parked: new SortedList((a, b) => a.place - b.place) };
      this.#groups.set(parked.group, group);
    }
    group.parked.set(parked);
    const ofSession = this.#bySession.get(sessionId);
    if (ofSession === undefined) this.#bySession.set(sessionId, new Set([parked]));
    else ofSession.add(parked);
    this.#size++;
  }

  #remove(parked: Parked<Asker, Result>): void {
    const group = this.#groups.get(parked.group);
    if (group?.parked.delete(parked) !== true) return;
    if (group.parked.size === 0) this.#groups.delete(parked.group);
    const { sessionId } = parked.asker;
    const ofSession = this.#bySession.get(sessionId);
    ofSession?.delete(parked);
    if (ofSession?.size === 0) this.#bySession.delete(sessionId);
    this.#size--;
  }
}
