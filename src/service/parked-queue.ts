/**
 * The queue of parked requests: each waits for an answer, for a limited time. `waiting-turns.ts` says in which
 * order they are served.
 */
import { SetMap } from "../watched/set-map.ts";
import { fitsFilter } from "../task/eligibility.ts";
import type { ReadyFilter, ReadyTask } from "../task/ready-queue.ts";
import { type Served, WaitingTurns } from "./waiting-turns.ts";

interface Filtered {
  readonly sessionId: string;
  /** Who has sent it. */
  readonly sender: string;
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
  readonly sender: string;
  readonly filter: ReadyFilter;
  readonly filterKey: string;
  /** Ends the wait without a result. */
  dismiss(): void;
  /** Its time ended while it was taken out of the queue. */
  isOverdue: boolean;
}

export class ParkedQueue<Request extends Filtered, Result> {
  readonly #turns = new WaitingTurns<QueueEntry<Request, Result>>();
  readonly #bySession = new SetMap<QueueEntry<Request, Result>>();
  readonly #byConnection = new SetMap<QueueEntry<Request, Result>>();
  readonly #connectionsOf: (request: Request) => readonly string[];
  /** Requests that were taken out of the queue and are not answered yet, with the turns that they took. */
  readonly #taken = new Map<
    ParkedRequest<Request, Result>,
    { readonly entry: QueueEntry<Request, Result>; readonly served: Served }
  >();
  #size = 0;
  #places = 0;

  /** `connectionsOf`: keys of the connections by which `ofConnection` finds a request. */
  constructor(connectionsOf: (request: Request) => readonly string[] = () => []) {
    this.#connectionsOf = connectionsOf;
  }

  get size(): number {
    return this.#size;
  }

  /** What a sender and a session have here, without requests that have been taken out. */
  sizesOf({ sender, sessionId, filter }: Filtered): {
    readonly ofSender: number;
    readonly ofSession: number;
    /** The different filters of the sender, with this one. */
    readonly filters: number;
  } {
    const isKnown = this.#turns.hasFilter(sender, keyOf(filter));
    return {
      ofSender: this.#turns.ranking.of(sender),
      ofSession: this.#bySession.get(sessionId).size,
      filters: this.#turns.filtersOf(sender) + (isKnown ? 0 : 1),
    };
  }

  /** Those who have requests here, those with most first. */
  senders(): Iterable<string> {
    return this.#turns.ranking.names();
  }

  /** A request of the sender that has most, if `sender` has at least two fewer: it gets the place. */
  displacedBy(sender: string): ParkedRequest<Request, Result> | null {
    const { ranking } = this.#turns;
    const hoarder = ranking.first();
    if (hoarder === undefined || ranking.most < ranking.of(sender) + 2) return null;
    const [displaced = null] = this.#turns.of(hoarder);
    return displaced;
  }

  /** The requests of a session, without those that have been taken out. */
  ofSession(sessionId: string): ParkedRequest<Request, Result>[] {
    return [...this.#bySession.get(sessionId)];
  }

  /** The requests of a connection, without those that have been taken out. */
  ofConnection(key: string): ParkedRequest<Request, Result>[] {
    return [...this.#byConnection.get(key)];
  }

  /** Up to `count` requests of the sender that fit, the oldest first, without those that have been taken out. */
  oldestOf(
    sender: string,
    count: number,
    fits: (request: Request) => boolean,
  ): ParkedRequest<Request, Result>[] {
    return [...this.#turns.of(sender)]
      .filter(({ request }) => fits(request))
      .sort((a, b) => a.place - b.place)
      .slice(0, count);
  }

  /** Ends a wait with the result, unless the request has been taken out: then it is answered soon. */
  end(parked: ParkedRequest<Request, Result>, result: Result): void {
    if (!this.#taken.has(parked)) parked.answer(result);
  }

  /** The same filter, in one copy for all requests that have it here. */
  shared(filter: ReadyFilter): ReadyFilter {
    return this.#turns.sharedFilter(keyOf(filter)) ?? filter;
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
        sender: request.sender,
        filter: request.filter,
        filterKey: keyOf(request.filter),
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
      this.#turns.add(parked);
      this.#added(parked);
    });
  }

  /**
   * Finds the request whose turn it is among those that the task fits and that may be served, and takes out
   * the newest of its session that fits. The caller must answer it, fail it, or put it back.
   */
  take(
    task: ReadyTask,
    mayServe: (request: Request) => boolean = () => true,
  ): ParkedRequest<Request, Result> | null {
    const first = this.#turns.first(task, ({ request }) => mayServe(request));
    if (first === undefined) return null;
    let chosen = first;
    for (const other of this.#bySession.get(first.request.sessionId)) {
      if (other.place > chosen.place && fitsFilter(task, other.filter)) chosen = other;
    }
    const served = this.#turns.serve(chosen);
    this.#removed(chosen);
    this.#taken.set(chosen, { entry: chosen, served });
    return chosen;
  }

  /** Returns a request to its place, or ends its wait if its time is over. */
  putBack(taken: ParkedRequest<Request, Result>): void {
    const known = this.#taken.get(taken);
    if (known === undefined) return;
    const { entry, served } = known;
    if (entry.isOverdue) {
      entry.dismiss();
      return;
    }
    this.#taken.delete(taken);
    this.#turns.unserve(entry, served);
    this.#added(entry);
  }

  dismissAll(): void {
    for (const parked of [...this.#turns.all()]) parked.dismiss();
  }

  #added(parked: QueueEntry<Request, Result>): void {
    const { request } = parked;
    this.#bySession.add(request.sessionId, parked);
    for (const key of this.#connectionsOf(request)) this.#byConnection.add(key, parked);
    this.#size++;
  }

  #remove(parked: QueueEntry<Request, Result>): void {
    if (this.#turns.remove(parked)) this.#removed(parked);
  }

  #removed(parked: QueueEntry<Request, Result>): void {
    const { request } = parked;
    this.#bySession.delete(request.sessionId, parked);
    for (const key of this.#connectionsOf(request)) this.#byConnection.delete(key, parked);
    this.#size--;
  }
}

function keyOf({ prefix, tags, capabilities }: ReadyFilter): string {
  return JSON.stringify([prefix, tags, capabilities]);
}
