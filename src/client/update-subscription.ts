/**
 * One subscriber's way through the revisions of the bucket `tasks`.
 *
 * `tail` is the revision up to which everything has been queued, or was not wanted. A subscription is
 * in one of two states:
 *
 * - _live_: the feed's next message continues the tail and goes into the queue. A message that does not
 *   continue it (some were missed, or the bucket was made anew and counts from 1), a full queue (the
 *   callback is slow), or a reason for doubt (a reconnect, a long silence) ends the state.
 * - _behind_: live messages are not kept; the subscription reads pages of `tasks.changes` after its tail,
 *   each once the queue is empty. While it reads the last page it keeps what arrives. If that continues
 *   the page without a gap, it is live again.
 *
 * So nothing is skipped and nothing is delivered twice, and what a slow subscriber has not seen yet
 * waits in the bucket and not in memory.
 */
import type { Reply } from "../protocol/operations.ts";
import { describeError, type Logger } from "./logger.ts";
import {
  type Change,
  type LiveChange,
  type TaskRemoval,
  type TaskUpdate,
  toUpdate,
} from "./task-update.ts";
import type { CompiledFilter } from "./update-filter.ts";
import { UpdateQueue } from "./update-queue.ts";

export interface Subscriber {
  readonly callback: (update: TaskUpdate) => unknown;
  readonly onRemoved: ((removal: TaskRemoval) => unknown) | undefined;
  readonly filter: CompiledFilter;
}

/**
 * Reads a page of changes; asks again until there is an answer or the signal is aborted. A number: the
 * next record, of this revision, is larger than what NATS carries.
 */
export type ReadChanges = (
  since: number,
  signal: AbortSignal,
) => Promise<Reply<"tasks.changes"> | number>;

type Delivery = { readonly update: TaskUpdate } | { readonly removal: TaskRemoval };

export class UpdateSubscription {
  readonly id: string;
  readonly #subscriber: Subscriber;
  readonly #readChanges: ReadChanges;
  readonly #logger: Logger;
  readonly #queue = new UpdateQueue<Delivery>();
  #tail: number;
  #bucketId: string | null = null;
  #isLive = false;
  #isStopped = false;
  #isCatchingUp = false;
  #isDelivering = false;
  /** Gives up the page that is being read. */
  #reading = new AbortController();
  /** Live messages that arrive while a page is read; `null`: they are not kept. */
  #arrived: UpdateQueue<Change> | null = null;
  /** Whether transitions were missed since the last update that was delivered. */
  #isMissing = false;
  #drained: (() => void) | null = null;

  constructor(
    id: string,
    tail: number,
    subscriber: Subscriber,
    readChanges: ReadChanges,
    logger: Logger,
  ) {
    this.id = id;
    this.#tail = tail;
    this.#subscriber = subscriber;
    this.#readChanges = readChanges;
    this.#logger = logger;
  }

  /** Begins to read what comes after the tail. To be called when the feed already offers. */
  start(): void {
    this.#fallBehind();
  }

  /** Makes sure that nothing was missed at the end. */
  verify(): void {
    if (this.#isLive) this.#fallBehind();
    // What was asked while the connection was broken may never be answered: it is asked again.
    else this.#reading.abort();
  }

  stop(): void {
    this.#isStopped = true;
    this.#reading.abort();
    this.#queue.clear();
    this.#arrived = null;
    this.#drained?.();
  }

  /** Takes a live message of the feed. */
  offer(change: LiveChange): void {
    if (this.#isLive) {
      if (change.revision === this.#tail + 1 && !this.#queue.isFull) {
        this.#accept(change, change.bytes);
        this.#deliver();
      } else this.#fallBehind();
    } else if (this.#arrived?.isFull === true) {
      // The page that is being read will not be the last.
      this.#arrived = null;
    } else this.#arrived?.push(change, change.bytes);
  }

  #fallBehind(): void {
    this.#isLive = false;
    if (!this.#isCatchingUp && !this.#isStopped) void this.#catchUp();
  }

  async #catchUp(): Promise<void> {
    this.#isCatchingUp = true;
    try {
      while (!this.#isLive) {
        await this.#untilDrained();
        if (this.#isStopped) return;
        this.#arrived = new UpdateQueue();
        this.#reading = new AbortController();
        await this.#readPage(this.#reading.signal);
        this.#arrived = null;
        this.#deliver();
      }
    } catch (error) {
      this.#logger.error(`subscription ${this.id} ended: ${describeError(error)}`);
      this.stop();
    } finally {
      this.#isCatchingUp = false;
    }
  }

  async #readPage(signal: AbortSignal): Promise<void> {
    try {
      const page = await this.#readChanges(this.#tail, signal);
      if (signal.aborted) return;
      if (typeof page === "number") this.#skipTo(page);
      else if (this.#isOfOther(page)) this.#beginAnew();
      else {
        this.#acceptPage(page);
        this.#isLive = !page.has_more && this.#acceptArrived();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** No reply can hold the next record. */
  #skipTo(revision: number): void {
    this.#tail = revision;
    this.#isMissing = true;
    this.#logger.warn(`subscription ${this.id}: a record is too large to be sent and is left out`);
  }

  /** Whether the bucket is another one than before. */
  #isOfOther({ bucket_id, last_revision }: Reply<"tasks.changes">): boolean {
    const before = this.#bucketId;
    this.#bucketId = bucket_id;
    return last_revision < this.#tail || (before !== null && bucket_id !== before);
  }

  /** Its revisions count from 1 again. */
  #beginAnew(): void {
    this.#tail = 0;
    this.#isMissing = true;
  }

  #acceptPage(page: Reply<"tasks.changes">): void {
    for (const change of page.changes) {
      if (change.revision !== this.#tail + 1) this.#isMissing = true;
      // A reply is limited by what NATS carries, so that a page needs no further limit.
      this.#accept(change, 0);
    }
    if (page.has_more || page.last_revision <= this.#tail) return;
    // What was last has been removed, and its marker as well.
    this.#tail = page.last_revision;
    this.#isMissing = true;
  }

  /** Whether what has arrived meanwhile continues the page. */
  #acceptArrived(): boolean {
    const arrived = this.#arrived;
    if (arrived === null) return false;
    for (let change = arrived.shift(); change !== undefined; change = arrived.shift()) {
      if (change.revision <= this.#tail) continue;
      if (change.revision !== this.#tail + 1) return false;
      this.#accept(change, 0);
    }
    return true;
  }

  #accept(change: Change, bytes: number): void {
    const { task_id, revision } = change;
    const { filter, onRemoved } = this.#subscriber;
    this.#tail = revision;
    if (!filter.wantsTask(task_id)) return;
    const { task } = change;
    if (task === null) {
      if (onRemoved !== undefined) this.#queue.push({ removal: { task_id, revision } }, bytes);
      return;
    }
    const update = toUpdate(change, task, this.#isMissing);
    if (!filter.wants(update)) return;
    this.#isMissing = false;
    this.#queue.push({ update }, bytes);
  }

  /** One after the other: the next when the callback's promise, if it returns one, has ended. */
  #deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const result = this.#tell(next);
      if (!isThenable(result)) continue;
      void this.#deliverAfter(result);
      return;
    }
    this.#isDelivering = false;
    this.#drained?.();
  }

  async #deliverAfter(result: PromiseLike<unknown>): Promise<void> {
    try {
      await result;
    } catch (error) {
      this.#failed(error);
    }
    this.#isDelivering = false;
    this.#deliver();
  }

  #tell(delivery: Delivery): unknown {
    const { callback, onRemoved } = this.#subscriber;
    try {
      return "update" in delivery ? callback(delivery.update) : onRemoved?.(delivery.removal);
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  #failed(error: unknown): void {
    this.#logger.error(`the callback of subscription ${this.id} failed: ${describeError(error)}`);
  }

  async #untilDrained(): Promise<void> {
    if (!this.#isDelivering) return;
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
    });
    this.#drained = null;
  }
}

/** Promises of other libraries as well. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as Partial<PromiseLike<unknown>> | null | undefined)?.then === "function";
}
