/**
 * The stream of updates that all subscriptions of a connection share: one NATS subscription on
 * `task-updates.>`, which exists while it is needed. After a reconnect, and now and then when no message
 * arrives, each subscription checks that it has missed nothing.
 */
import { subscribeToUpdates, type UpdateMessage, type UpdateStream } from "../nats/task-updates.ts";
import type { Reply } from "../protocol/operations.ts";
import type { BusConnection } from "./bus-connection.ts";
import type { Logger } from "./logger.ts";
import type { TaskClient } from "./task-client.ts";
import { TaskError } from "./task-error.ts";
import { LiveChange } from "./task-update.ts";
import { type ReadChanges, type Subscriber, UpdateSubscription } from "./update-subscription.ts";
import type { Since } from "./update-filter.ts";
import { pause } from "./waiting.ts";

/**
 * Without a message for this time, give or take a half, the last revision is compared. The random part
 * spreads the requests of a swarm.
 */
const SILENCE_MS = 30_000;
const PAGE_SIZE = 250;
/** The pause after a refusal that does not pass by itself. */
const REFUSED_MS = 10_000;

export class UpdateFeed {
  readonly #link: BusConnection;
  readonly #tasks: TaskClient;
  readonly #logger: Logger;
  readonly #silenceMs: number;
  readonly #subscriptions = new Map<string, UpdateSubscription>();
  #stream: UpdateStream | null = null;
  /** Subscriptions that are being made. */
  #joining = 0;

  constructor(link: BusConnection, tasks: TaskClient, logger: Logger, silenceMs = SILENCE_MS) {
    this.#link = link;
    this.#tasks = tasks;
    this.#logger = logger;
    this.#silenceMs = silenceMs;
  }

  /** Resolves when all that happens from now on will be delivered. @throws TaskError `unavailable` */
  async subscribe(subscriber: Subscriber, since: Since): Promise<string> {
    const id = crypto.randomUUID();
    this.#joining++;
    try {
      this.#stream ??= this.#open();
      const tail = await this.#tailOf(since);
      // The connection may have been closed and replaced meanwhile.
      this.#stream ??= this.#open();
      const readChanges: ReadChanges = (after, signal) => this.#readChanges(after, signal);
      const subscription = new UpdateSubscription(id, tail, subscriber, readChanges, this.#logger);
      this.#subscriptions.set(id, subscription);
      subscription.start();
    } finally {
      this.#joining--;
      this.#stopIfUnused();
    }
    return id;
  }

  /** `false` if there is no such subscription. */
  unsubscribe(id: string): boolean {
    const subscription = this.#subscriptions.get(id);
    if (subscription === undefined) return false;
    subscription.stop();
    this.#subscriptions.delete(id);
    this.#stopIfUnused();
    return true;
  }

  stop(): void {
    for (const id of [...this.#subscriptions.keys()]) this.unsubscribe(id);
  }

  /** What is asked for after this was sent on the same connection, so nothing falls in between. */
  #open(): UpdateStream {
    const { connection, closed } = this.#link;
    let isQuiet = true;
    const verifyAll = (): void => {
      for (const subscription of this.#subscriptions.values()) subscription.verify();
    };
    const offer = (message: UpdateMessage): void => {
      isQuiet = false;
      const change = new LiveChange(message);
      for (const subscription of this.#subscriptions.values()) subscription.offer(change);
    };
    const messages = subscribeToUpdates(connection, offer, undefined, (error) => {
      this.#logger.error(`updates come late, the server does not send them: ${error.message}`);
    });
    const forgetReconnects = this.#link.onReconnect(verifyAll);
    const silence = setInterval(
      () => {
        if (isQuiet) verifyAll();
        isQuiet = true;
      },
      this.#silenceMs * (0.5 + Math.random()),
    );
    silence.unref();
    const source = {
      stop: () => {
        messages.stop();
        forgetReconnects();
        clearInterval(silence);
        if (this.#stream === source) this.#stream = null;
      },
    };
    void closed.then(() => {
      this.stop();
      source.stop();
    });
    return source;
  }

  #stopIfUnused(): void {
    if (this.#subscriptions.size + this.#joining === 0) this.#stream?.stop();
  }

  async #tailOf(since: Since): Promise<number> {
    if (since === "beginning") return 0;
    if (since !== "now") return since;
    // Not `changes`: its first record might be too large for a reply.
    return (await this.#tasks.stats()).revision;
  }

  async #readChanges(since: number, signal: AbortSignal): Promise<Reply<"tasks.changes"> | number> {
    for (;;) {
      try {
        const options = { deadlineMs: Infinity, signal };
        return await this.#tasks.changes({ since, limit: PAGE_SIZE }, options);
      } catch (error) {
        if (!(error instanceof TaskError) || error.details.problem === "closed") throw error;
        // A page ends before it is too large. So this is one record, and the error says where to continue.
        if (error.code === "too_large") return Number(error.details.since ?? since + 1);
        await this.#afterRefusal(error, signal);
      }
    }
  }

  /** A person may fix it, such as a permission. If the subscription ended, its subscriber would not know. */
  async #afterRefusal(error: TaskError, signal: AbortSignal): Promise<void> {
    this.#logger.error(
      `updates are delayed, trying again in ${REFUSED_MS / 1000} s: ${error.message}`,
    );
    await pause(REFUSED_MS, signal);
  }
}
