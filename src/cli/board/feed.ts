/**
 * Feeds the model of a board: updates as they happen, a scan of the tasks, and what only a request can say
 * (counts, sessions, leases). The pause before a request is repeated grows with the time that the answer took,
 * so that a coordinator with many tasks does not work for its boards.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Coordinator } from "../../client/coordinator.ts";
import { TaskError } from "../../client/task-error.ts";
import type { Reply } from "../../protocol/operations.ts";
import type { BoardModel } from "./model.ts";
import { Sessions } from "./session-table.ts";

export interface FeedOptions {
  readonly coordinator: Coordinator;
  readonly model: BoardModel;
  /** Only tasks whose id begins with this. */
  readonly prefix: string;
  /** Events after this revision are listed. */
  readonly since: number;
  /** The tasks whose leases are shown. */
  readonly shownClaims: () => readonly string[];
  readonly isConnected: () => boolean;
  /** The model has changed. */
  readonly changed: () => void;
  /** A part of the board cannot be read. Called each time that it is tried. */
  readonly problem: (message: string) => void;
  /** It cannot go on. */
  readonly failed: (error: unknown) => void;
  readonly signal: AbortSignal;
}

/** What is shown of the counts is at most this old, in milliseconds. */
const STATS_MS = 1_000;
const SESSIONS_MS = 3_000;
const LEASES_MS = 2_000;
/** Soon after the first claim is shown, its lease is shown. */
const NOTHING_HELD_MS = 200;
const SCAN_MS = 2_000;
/** How often to look whether a scan is needed. */
const SCAN_CHECK_MS = 500;
/** A request that is repeated waits for at least as many times as long as the answer took. */
const PAUSE_FACTOR = 9;
/** A scan is one request after the other, so others come in between. */
const SCAN_PAUSE_FACTOR = 3;
/** A page also ends before the reply is too large for NATS. */
const PAGE = 1_000;
/** Of the tasks that are listed. */
const OPEN_STATUSES = ["available", "claimed"] as const;
const ONE_REQUEST = { deadlineMs: 0, timeoutMs: 5_000 };

export class Feed {
  readonly #options: FeedOptions;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** Resolves when updates arrive. The rest follows in the background, until the signal is aborted. */
  async start(): Promise<void> {
    const { coordinator, model, prefix, since, changed, signal } = this.#options;
    const { revision } = await coordinator.tasks.stats({ signal });
    model.trackAfter(revision);
    const id = await coordinator.subscribeTaskUpdates(
      (update) => {
        model.update(update, Date.now());
        changed();
      },
      {
        ...(prefix === "" ? {} : { filter: { prefix } }),
        since,
        onRemoved: ({ task_id }) => {
          model.removed(task_id);
          changed();
        },
      },
    );
    signal.addEventListener("abort", () => coordinator.unsubscribe(id), { once: true });
    const loops = [
      this.#repeat(
        () => STATS_MS,
        () => this.#readStats(),
      ),
      this.#repeat(
        () => SESSIONS_MS,
        () => this.#readSessions(),
      ),
      this.#repeat(
        () => (this.#options.shownClaims().length === 0 ? NOTHING_HELD_MS : LEASES_MS),
        () => this.#readLeases(),
      ),
      this.#scanWhenNeeded(),
    ];
    Promise.all(loops).catch(this.#options.failed);
  }

  async #repeat(pauseOf: () => number, read: () => Promise<void>): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      const began = performance.now();
      const isDone = await this.#attempt(read);
      const took = performance.now() - began;
      const pauseMs = pauseOf();
      await this.#pause(isDone ? Math.max(pauseMs, took * PAUSE_FACTOR) : pauseMs);
    }
  }

  async #scanWhenNeeded(): Promise<void> {
    const { model, signal } = this.#options;
    while (!signal.aborted) {
      if (!model.needsScan) {
        await this.#pause(SCAN_CHECK_MS);
        continue;
      }
      const began = performance.now();
      const isDone = await this.#attempt(() => this.#scan());
      if (!isDone) model.abandonScan();
      const took = performance.now() - began;
      await this.#pause(isDone ? Math.max(SCAN_MS, took * SCAN_PAUSE_FACTOR) : SCAN_MS);
    }
  }

  /** @returns whether it was answered. A problem is shown on the board. */
  async #attempt(read: () => Promise<void>): Promise<boolean> {
    const { model, isConnected, problem, changed, signal } = this.#options;
    try {
      await read();
      model.setConnection("connected", Date.now());
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      if (!(error instanceof TaskError)) throw error;
      // A refusal, such as a missing permission, concerns one part of the board. The rest goes on.
      if (!error.retryable) problem(error.message);
      else model.setConnection(isConnected() ? "no coordinator" : "disconnected", Date.now());
      return false;
    } finally {
      changed();
    }
  }

  async #scan(): Promise<void> {
    const { coordinator, model, prefix, changed } = this.#options;
    // With a prefix the tasks are counted here, so each has to be read.
    const status = prefix === "" ? { status: [...OPEN_STATUSES] } : {};
    model.beginScan();
    let cursor: string | null = null;
    do {
      model.requestPage();
      const page: Reply<"tasks.list"> = await coordinator.tasks.list(
        { limit: PAGE, prefix, ...status, ...(cursor === null ? {} : { cursor }) },
        this.#call,
      );
      cursor = page.next_cursor;
      model.addPage(page, cursor === null);
      changed();
    } while (cursor !== null);
  }

  async #readStats(): Promise<void> {
    const { coordinator, model } = this.#options;
    model.setStats(await coordinator.tasks.stats(this.#call));
  }

  async #readSessions(): Promise<void> {
    const { coordinator, model } = this.#options;
    const sessions = new Sessions();
    let cursor: string | null = null;
    do {
      const page: Reply<"sessions.list"> = await coordinator.tasks.listSessions(
        { limit: PAGE, ...(cursor === null ? {} : { cursor }) },
        this.#call,
      );
      sessions.add(page.sessions);
      cursor = page.next_cursor;
    } while (cursor !== null);
    model.setSessions(sessions);
  }

  async #readLeases(): Promise<void> {
    const { coordinator, model, shownClaims } = this.#options;
    const replies = await Promise.all(
      shownClaims().map((id) => coordinator.tasks.get(id, this.#call).catch(notThere)),
    );
    model.setLeases(replies.filter((reply) => reply !== null));
  }

  get #call(): { readonly signal: AbortSignal; readonly deadlineMs: number } {
    return { ...ONE_REQUEST, signal: this.#options.signal };
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#options.signal }).catch(() => undefined);
  }
}

/** The task was removed, or cannot be read. */
function notThere(error: unknown): null {
  if (error instanceof TaskError && error.code !== "unavailable") return null;
  throw error;
}
