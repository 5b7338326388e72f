/**
 * The stream of updates that all subscriptions of a connection share: one subscription on
 * `task-updates.>`, there while somebody needs it. It tells every subscription to make sure that it
 * has missed nothing when the connection was broken, and now and then when nothing comes.
 */
import { subscribeToUpdates, type UpdateSubscription as Source } from "../nats/task-updates.ts";
import type { BusConnection } from "./bus-connection.ts";
import type { Logger } from "./logger.ts";
import type { TaskClient } from "./task-client.ts";
import { TaskError } from "./task-error.ts";
import { LiveChange } from "./task-update.ts";
import { type ReadChanges, type Subscriber, UpdateSubscription } from "./update-subscription.ts";
import type { Since } from "./update-filter.ts";

/** Without a message for so long, the last revision is compared; give or take a half, so that a swarm spreads. */
const SILENCE_MS = 30_000;
const PAGE_SIZE = 250;

export class UpdateFeed {
  readonly #link: BusConnection;
  readonly #tasks: TaskClient;
  readonly #logger: Logger;
  readonly #subscriptions = new Map<string, UpdateSubscription>();
  #source: Promise<Source> | null = null;
  /** Subscriptions that are being made. */
  #joining = 0;
  #pageSize = PAGE_SIZE;

  constructor(link: BusConnection, tasks: TaskClient, logger: Logger) {
    this.#link = link;
    this.#tasks = tasks;
    this.#logger = logger;
  }

  /** Resolves when all that happens from now on will be delivered. @throws TaskError `unavailable` */
  async subscribe(subscriber: Subscriber, since: Since): Promise<string> {
    const id = crypto.randomUUID();
    this.#joining++;
    try {
      await this.#listen();
      const tail = await this.#tailOf(since);
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

  #listen(): Promise<Source> {
    this.#source ??= this.#open();
    return this.#source;
  }

  async #open(): Promise<Source> {
    let isQuiet = true;
    const verifyAll = (): void => {
      for (const subscription of this.#subscriptions.values()) subscription.verify();
    };
    try {
      const { connection, closed } = this.#link;
      const source = subscribeToUpdates(connection, (message) => {
        isQuiet = false;
        const change = new LiveChange(message);
        for (const subscription of this.#subscriptions.values()) subscription.offer(change);
      });
      // From here on the server knows of it.
      await connection.flush();
      const forgetReconnects = this.#link.onReconnect(verifyAll);
      const silence = setInterval(
        () => {
          if (isQuiet) verifyAll();
          isQuiet = true;
        },
        SILENCE_MS * (0.5 + Math.random()),
      );
      silence.unref();
      void closed.then(() => {
        this.stop();
      });
      return {
        stop: () => {
          source.stop();
          forgetReconnects();
          clearInterval(silence);
        },
      };
    } catch (error) {
      this.#source = null;
      throw error instanceof TaskError ? error : unavailable(error);
    }
  }

  #stopIfUnused(): void {
    const source = this.#source;
    if (this.#subscriptions.size + this.#joining > 0 || source === null) return;
    this.#source = null;
    source.then(
      (opened) => {
        opened.stop();
      },
      () => undefined,
    );
  }

  async #tailOf(since: Since): Promise<number> {
    if (since === "beginning") return 0;
    if (since !== "now") return since;
    return (await this.#tasks.changes({ limit: 1 })).last_revision;
  }

  async #readChanges(since: number, signal: AbortSignal) {
    for (;;) {
      const limit = this.#pageSize;
      try {
        const options = { deadlineMs: Infinity, signal };
        const page = await this.#tasks.changes({ since, limit }, options);
        this.#pageSize = Math.min(PAGE_SIZE, limit * 2);
        return page;
      } catch (error) {
        if (!(error instanceof TaskError) || error.code !== "too_large") throw error;
        if (limit === 1) return null;
        this.#pageSize = Math.ceil(limit / 4);
      }
    }
  }
}

function unavailable(cause: unknown): TaskError {
  const problem = cause instanceof Error ? cause.message : String(cause);
  return new TaskError("unavailable", `cannot subscribe to the updates: ${problem}`, { cause });
}
