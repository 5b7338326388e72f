/**
 * The queue of parked requests, in the order in which they came.
 *
 * Requests with the same filter form a group. So a task that became ready is matched against a few
 * filters and not against thousands of requests.
 */
import type { ReadyFilter } from "../task/ready-queue.ts";
import { SortedList } from "../task/sorted-list.ts";

interface Filtered {
  readonly sessionId: string;
  readonly filter: ReadyFilter;
}

/** A request that waits. Either `answer` or `fail` ends the wait. */
export interface ParkedRequest<Request, Result> {
  readonly request: Request;
  answer(result: Result): void;
  fail(error: unknown): void;
}

interface QueueEntry<Request, Result> extends ParkedRequest<Request, Result> {
  readonly place: number;
  readonly group: string;
  /** Ends the wait without a result. */
  dismiss(): void;
  /** Its time ended while it was taken out of the queue. */
  isOverdue: boolean;
}

interface Group<Request, Result> {
  readonly filter: ReadyFilter;
  readonly parked: SortedList<QueueEntry<Request, Result>>;
}

export class ParkedQueue<Request extends Filtered, Result> {
  readonly #groups = new Map<string, Group<Request, Result>>();
  readonly #bySession = new Map<string, Set<QueueEntry<Request, Result>>>();
  /** Requests that were taken out of the queue and are not answered yet. */
  readonly #taken = new Map<ParkedRequest<Request, Result>, QueueEntry<Request, Result>>();
  #size = 0;
  #places = 0;

  get size(): number {
    return this.#size;
  }

  /** The requests of a session, without those that have been taken out. */
  ofSession(sessionId: string): ParkedRequest<Request, Result>[] {
    return [...(this.#bySession.get(sessionId) ?? [])];
  }

  /** Up to `count` requests that fit, the oldest first, without those that have been taken out. */
  oldest(count: number, fits: (request: Request) => boolean): ParkedRequest<Request, Result>[] {
    return [...this.#groups.values()]
      .flatMap(({ parked }) => [...parked].filter(({ request }) => fits(request)))
      .sort((a, b) => a.place - b.place)
      .slice(0, count);
  }

  /** Ends a wait with the result, unless the request has been taken out: then it is answered soon. */
  end(parked: ParkedRequest<Request, Result>, result: Result): void {
    if (!this.#taken.has(parked)) parked.answer(result);
  }

  /** Adds the request. Resolves with its answer, or with `null` when its time is over. */
  park(request: Request, timeoutMs: number): Promise<Result | null> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        if (!this.#taken.delete(parked)) this.#remove(parked);
      };
      const parked: QueueEntry<Request, Result> = {
        request,
        place: this.#places++,
        group: JSON.stringify(request.filter),
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
        // A request that was taken out gets its answer soon.
        if (this.#taken.has(parked)) parked.isOverdue = true;
        else parked.dismiss();
      }, timeoutMs);
      this.#add(parked);
    });
  }

  /**
   * Finds the oldest request whose filter fits, and takes out the newest of its session that fits. The
   * caller must answer it, fail it, or put it back.
   */
  take(fits: (filter: ReadyFilter) => boolean): ParkedRequest<Request, Result> | null {
    let chosen: QueueEntry<Request, Result> | undefined;
    for (const { filter, parked } of this.#groups.values()) {
      const first = parked.first();
      if (first === undefined || (chosen !== undefined && chosen.place < first.place)) continue;
      if (fits(filter)) chosen = first;
    }
    if (chosen === undefined) return null;
    for (const other of this.#bySession.get(chosen.request.sessionId) ?? []) {
      if (other.place > chosen.place && fits(other.request.filter)) chosen = other;
    }
    this.#remove(chosen);
    this.#taken.set(chosen, chosen);
    return chosen;
  }

  /** Returns a request to its place, or ends its wait if its time is over. */
  putBack(taken: ParkedRequest<Request, Result>): void {
    const parked = this.#taken.get(taken);
    if (parked === undefined) return;
    if (parked.isOverdue) {
      parked.dismiss();
      return;
    }
    this.#taken.delete(taken);
    this.#add(parked);
  }

  dismissAll(): void {
    const all = [...this.#groups.values()].flatMap(({ parked }) => [...parked]);
    for (const parked of all) parked.dismiss();
  }

  #add(parked: QueueEntry<Request, Result>): void {
    const { filter, sessionId } = parked.request;
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

  #remove(parked: QueueEntry<Request, Result>): void {
    const group = this.#groups.get(parked.group);
    if (group?.parked.delete(parked) !== true) return;
    if (group.parked.size === 0) this.#groups.delete(parked.group);
    const { sessionId } = parked.request;
    const ofSession = this.#bySession.get(sessionId);
    ofSession?.delete(parked);
    if (ofSession?.size === 0) this.#bySession.delete(sessionId);
    this.#size--;
  }
}
