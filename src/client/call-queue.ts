/**
 * A queue of calls: up to a limit are under way, and the others wait for their turn. A worker refuses what
 * exceeds its own limit, so most of a large burst would be refused, sent again, and refused again.
 *
 * The calls of one flow begin in their order. Flows take turns, so a flow with a hundred thousand calls
 * does not delay the single call of another.
 */
import { setMaxListeners } from "node:events";
import { MAX_TIMER_MS } from "../timers.ts";
import { TaskError } from "./task-error.ts";

/**
 * Enough to keep a worker busy, and four such clients do not exceed what a worker takes by default
 * (`limits.in_flight`, 1,000).
 */
const DEFAULT_MAX_IN_FLIGHT = 256;

/** The queues of one connection. */
export interface CallQueues {
  /** For calls that keep or end a claim. They do not wait behind others, because a lease has an end. */
  readonly leases: CallQueue;
  readonly others: CallQueue;
}

export function createQueues(maxInFlight = DEFAULT_MAX_IN_FLIGHT): CallQueues {
  return { leases: new CallQueue(maxInFlight), others: new CallQueue(maxInFlight) };
}

export interface QueuedCall {
  readonly flow: string;
  /** The subject of the request, for errors. */
  readonly subject: string;
  /** The call gives up its wait after this long without an answer to any call. */
  readonly patienceMs: number;
  readonly signal: AbortSignal | undefined;
}

interface Waiting {
  readonly begin: () => void;
  hasGivenUp: boolean;
  /** The next call of the flow. */
  next: Waiting | undefined;
}

interface Flow {
  first: Waiting | undefined;
  last: Waiting;
}

export class CallQueue {
  readonly #limit: number;
  /** The flows that wait, in the order of their turns. */
  readonly #flows = new Map<string, Flow>();
  #underWay = 0;
  #answeredAt = -Infinity;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Carries out the call when it is its turn. The call keeps its place during its retries: while the
   * coordinator is overloaded, another call in its place would only be refused as well.
   *
   * @param describe is called if the call has to wait
   * @throws TaskError `unavailable` if it gives up before its turn; the signal's reason
   */
  async run<T>(describe: () => QueuedCall, carryOut: () => Promise<T>): Promise<T> {
    if (this.#underWay < this.#limit) this.#underWay++;
    else await this.#turn(describe());
    try {
      const result = await carryOut();
      this.#answeredAt = performance.now();
      return result;
    } catch (error) {
      if (error instanceof TaskError && !error.retryable) this.#answeredAt = performance.now();
      throw error;
    } finally {
      const next = this.#next();
      if (next === undefined) this.#underWay--;
      else next.begin();
    }
  }

  /** Resolves when the call has the place of one that is over. */
  #turn({ flow, subject, patienceMs, signal }: QueuedCall): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const calledAt = performance.now();
      let timer: NodeJS.Timeout | undefined;
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
      };
      const giveUp = (reason: Error): void => {
        waiting.hasGivenUp = true;
        end();
        reject(reason);
      };
      const abort = (): void => {
        giveUp(signal?.reason as Error);
      };
      const checkPatience = (): void => {
        const leftMs = Math.max(calledAt, this.#answeredAt) + patienceMs - performance.now();
        if (leftMs <= 0) giveUp(notSent(subject, patienceMs));
        else timer = setTimeout(checkPatience, Math.min(Math.ceil(leftMs), MAX_TIMER_MS));
      };
      const begin = (): void => {
        end();
        resolve();
      };
      const waiting: Waiting = { begin, hasGivenUp: false, next: undefined };
      if (signal !== undefined) {
        // Many calls may share a signal. Each removes its listener when its wait ends.
        setMaxListeners(0, signal);
        signal.addEventListener("abort", abort);
      }
      timer = setTimeout(checkPatience, Math.min(patienceMs, MAX_TIMER_MS));
      this.#append(flow, waiting);
    });
  }

  #append(name: string, waiting: Waiting): void {
    const flow = this.#flows.get(name);
    if (flow === undefined) this.#flows.set(name, { first: waiting, last: waiting });
    else {
      flow.last.next = waiting;
      flow.last = waiting;
    }
  }

  /** Removes the call whose turn it is. */
  #next(): Waiting | undefined {
    for (const [name, flow] of this.#flows) {
      const next = firstOf(flow);
      flow.first = next?.next;
      // Deleted and set again, the flow comes last.
      this.#flows.delete(name);
      if (flow.first !== undefined) this.#flows.set(name, flow);
      if (next !== undefined) return next;
    }
    return undefined;
  }
}

/** The first call that has not given up. */
function firstOf({ first }: Flow): Waiting | undefined {
  let call = first;
  while (call?.hasGivenUp === true) call = call.next;
  return call;
}

function notSent(subject: string, patienceMs: number): TaskError {
  return new TaskError(
    "unavailable",
    `${subject} was not sent: no call of this connection was answered for ${patienceMs} ms`,
    { details: { problem: "not_sent" } },
  );
}
