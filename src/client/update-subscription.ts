/**
 * One subscriber's way through the revisions of the bucket `tasks`.
 *
 * `tail` is the revision up to which every wanted change has been queued. A subscription is in one of two
 * states:
 *
 * - _live_: the feed's next message continues the tail and goes into the queue. The state ends with a
 *   message that does not continue the tail (some were missed, or the bucket was created again and counts
 *   from 1), with a full queue (the callback is slow), or with a reason for doubt (a reconnect, a long
 *   silence).
 * - _behind_: live messages are not kept. The subscription reads pages of `tasks.changes` after its tail,
 *   each when the queue is empty. While it reads the last page, it keeps the messages that arrive. If they
 *   continue the page without a gap, it is live again.
 *
 * So no change is skipped and none is delivered twice. What a slow subscriber has not seen yet stays in
 * the bucket, not in memory.
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
 * Reads a page of changes, and retries until there is an answer or the signal is aborted. A number is the
 * revision of the next record, if that is larger than NATS can carry.
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
  /** Ends the read of the current page. */
  #reading = new AbortController();
  /** Live messages that arrive while a page is read. `null`: they are not kept. */
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

  /** Begins to read after the tail. The feed must already offer its messages. */
  start(): void {
    this.#fallBehind();
  }

  /** Checks that no change after the tail was missed. */
  verify(): void {
    if (this.#isLive) this.#fallBehind();
    // A request that was sent while the connection was broken may never be answered: send it again.
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
      // Too many changes: another page will follow the current one.
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
      else if (this.#isOfOther(page)) this.#beginAgain();
      else {
        this.#acceptPage(page);
        this.#isLive = !page.has_more && this.#acceptArrived();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** The next record is too large for any reply. */
  #skipTo(revision: number): void {
    this.#tail = revision;
    this.#isMissing = true;
    this.#logger.warn(`subscription ${this.id}: a record is too large to be sent and is left out`);
  }

  /** Whether the page is of another bucket than the pages before. */
  #isOfOther({ bucket_id, last_revision }: Reply<"tasks.changes">): boolean {
    const before = this.#bucketId;
    this.#bucketId = bucket_id;
    return last_revision < this.#tail || (before !== null && bucket_id !== before);
  }

  /** Its revisions count from 1 again. */
  #beginAgain(): void {
    this.#tail = 0;
    this.#isMissing = true;
  }

  #acceptPage(page: Reply<"tasks.changes">): void {
    for (const change of page.changes) {
      if (change.revision !== this.#tail + 1) this.#isMissing = true;
      const { task_id, revision, task } = change;
      // The coordinator does not show this task. Nothing was missed.
      if (task_id === undefined) this.#tail = revision;
      // NATS limits the size of a reply, so a page needs no further limit.
      else this.#accept({ task_id, revision, task }, 0);
    }
    if (page.has_more || page.last_revision <= this.#tail) return;
    // The last changes have been removed, and their markers as well.
    this.#tail = page.last_revision;
    this.#isMissing = true;
  }

  /** Whether the messages that have arrived meanwhile continue the page. */
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

  /** Delivers one after the other. If the callback returns a promise, the next delivery waits for it. */
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

/** Also for promises of other libraries. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as Partial<PromiseLike<unknown>> | null | undefined)?.then === "function";
}
