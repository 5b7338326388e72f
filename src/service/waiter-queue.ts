/** Requests that wait, in the order in which they came. Knows nothing of tasks. */

/** A request that waits; exactly one of `answer` and `fail` ends it. */
export interface Waiter<Asker, Result> {
  readonly asker: Asker;
  answer(result: Result): void;
  fail(error: unknown): void;
}

interface Parked<Asker, Result> extends Waiter<Asker, Result> {
  readonly place: number;
  /** Ends the wait without a result. */
  dismiss(): void;
  /** Its time ended while it was taken out. */
  isOverdue: boolean;
}

export class WaiterQueue<Asker extends { readonly sessionId: string }, Result> {
  /** In order of their place, which is also the order of insertion but for those put back. */
  #parked = new Map<number, Parked<Asker, Result>>();
  /** Those that were taken and not yet answered. */
  readonly #taken = new Map<Waiter<Asker, Result>, Parked<Asker, Result>>();
  #places = 0;

  get size(): number {
    return this.#parked.size;
  }

  /** Those who wait, longest first. */
  *askers(): Generator<Asker, void> {
    for (const { asker } of this.#parked.values()) yield asker;
  }

  /** Resolves with the answer, or with `null` when the time is over. */
  wait(asker: Asker, timeoutMs: number): Promise<Result | null> {
    const place = this.#places++;
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#parked.delete(place);
        this.#taken.delete(parked);
      };
      const parked: Parked<Asker, Result> = {
        asker,
        place,
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
      this.#parked.set(place, parked);
    });
  }

  /**
   * Takes out the first waiter that fits; of its session's waiters that fit, the newest. To be
   * answered, failed, or put back.
   */
  take(fits: (asker: Asker) => boolean): Waiter<Asker, Result> | null {
    let chosen: Parked<Asker, Result> | null = null;
    for (const parked of this.#parked.values()) {
      if (chosen !== null && parked.asker.sessionId !== chosen.asker.sessionId) continue;
      if (fits(parked.asker)) chosen = parked;
    }
    if (chosen === null) return null;
    this.#parked.delete(chosen.place);
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
    const places = [...this.#parked.values(), parked].sort((a, b) => a.place - b.place);
    this.#parked = new Map(places.map((each) => [each.place, each]));
  }

  dismissAll(): void {
    for (const parked of [...this.#parked.values()]) parked.dismiss();
  }
}
