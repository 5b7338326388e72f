/**
 * Keeps a session registered and the leases of its claims renewed, with one heartbeat for all of them
 * about every third of the shortest TTL; and tells which claims it has lost or should stop working on.
 *
 * A claim also counts as lost when its TTL is over without a heartbeat that was answered: then somebody
 * else may have the task by now, and nobody could tell this session.
 */
import type { Logger } from "./logger.ts";
import type { TaskClient } from "./task-client.ts";
import { TaskError } from "./task-error.ts";

export interface SessionSettings {
  readonly sessionId: string;
  readonly capabilities: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A claim whose lease is to be kept. */
export interface KeptClaim {
  readonly taskId: string;
  readonly attempt: number;
  readonly ttlSeconds: number;
  /** It was made some time ago, by a request that was repeated. */
  readonly isOld: boolean;
}

export interface LeaseListener {
  lost(taskId: string, attempt: number): void;
  cancelled(taskId: string, attempt: number): void;
}

/** Implemented here, and by a thread that does the same. */
export interface LeaseRenewal {
  /** Registers the session; asks until that is done. @throws TaskError for a refusal */
  start(signal: AbortSignal): Promise<void>;
  keep(claim: KeptClaim): void;
  drop(taskId: string, attempt: number): void;
  stop(): void;
}

interface Held extends KeptClaim {
  /** When the lease may have run out, by `performance.now()`. */
  readonly validUntil: number;
}

/** Before a heartbeat that was not answered is sent again. */
const RETRY_MS = 250;

export class SessionLeases implements LeaseRenewal {
  readonly #tasks: TaskClient;
  readonly #session: SessionSettings;
  readonly #listener: LeaseListener;
  readonly #logger: Logger;
  readonly #held = new Map<string, Held>();
  readonly #stopped = new AbortController();
  #sessionTtlMs = Infinity;
  #beatAt = Infinity;
  #isBeating = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    tasks: TaskClient,
    session: SessionSettings,
    listener: LeaseListener,
    logger: Logger,
  ) {
    this.#tasks = tasks;
    this.#session = session;
    this.#listener = listener;
    this.#logger = logger;
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#register(AbortSignal.any([signal, this.#stopped.signal]));
    this.#beatBy(performance.now() + this.#interval());
  }

  keep(claim: KeptClaim): void {
    const now = performance.now();
    this.#held.set(claim.taskId, { ...claim, validUntil: now + claim.ttlSeconds * 1000 });
    this.#beatBy(claim.isOld ? now : now + this.#interval());
  }

  drop(taskId: string, attempt: number): void {
    if (this.#held.get(taskId)?.attempt === attempt) this.#held.delete(taskId);
  }

  stop(): void {
    this.#stopped.abort();
    clearTimeout(this.#timer);
  }

  #interval(): number {
    let shortest = this.#sessionTtlMs;
    for (const { ttlSeconds } of this.#held.values()) {
      shortest = Math.min(shortest, ttlSeconds * 1000);
    }
    return shortest / 3;
  }

  #beatBy(time: number): void {
    this.#beatAt = Math.min(this.#beatAt, time);
    this.#setTimer();
  }

  #setTimer(): void {
    if (this.#stopped.signal.aborted) return;
    let due = this.#isBeating ? Infinity : this.#beatAt;
    for (const { validUntil } of this.#held.values()) due = Math.min(due, validUntil);
    const wait = Math.min(Math.max(0, due - performance.now()), LONGEST_WAIT_MS);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#tick();
    }, wait);
  }

  #tick(): void {
    const now = performance.now();
    for (const { taskId, attempt, validUntil } of [...this.#held.values()]) {
      if (validUntil <= now) this.#lose(taskId, attempt);
    }
    if (!this.#isBeating && now >= this.#beatAt) {
      this.#isBeating = true;
      this.#beatAt = Infinity;
      void this.#beat().then((nextAt) => {
        this.#isBeating = false;
        this.#beatBy(nextAt);
      });
    }
    this.#setTimer();
  }

  /** Never rejects; returns when the next beat is due. */
  async #beat(): Promise<number> {
    const sentAt = performance.now();
    const asked = [...this.#held.values()];
    const claims = asked.map(({ taskId, attempt }) => ({ task_id: taskId, attempt }));
    const options = { deadlineMs: this.#interval(), signal: this.#stopped.signal };
    try {
      const { sessionId } = this.#session;
      const reply = await this.#tasks.heartbeat(sessionId, { claims }, options);
      this.#renewed(asked, reply, sentAt);
      return sentAt + this.#interval();
    } catch (error) {
      if (this.#stopped.signal.aborted) return Infinity;
      return this.#beatFailed(error);
    }
  }

  #renewed(
    asked: readonly Held[],
    { claims, lost, cancelled }: Awaited<ReturnType<TaskClient["heartbeat"]>>,
    sentAt: number,
  ): void {
    const attempts = new Map(asked.map(({ taskId, attempt }) => [taskId, attempt]));
    for (const { task_id: taskId, attempt, lease } of claims) {
      const held = this.#held.get(taskId);
      if (held?.attempt !== attempt) continue;
      this.#held.set(taskId, { ...held, validUntil: sentAt + lease.ttl_seconds * 1000 });
    }
    for (const taskId of cancelled) {
      const attempt = attempts.get(taskId);
      if (attempt !== undefined) this.#listener.cancelled(taskId, attempt);
    }
    for (const taskId of lost) {
      const attempt = attempts.get(taskId);
      if (attempt !== undefined) this.#lose(taskId, attempt);
    }
  }

  async #beatFailed(error: unknown): Promise<number> {
    const { sessionId } = this.#session;
    try {
      if (error instanceof TaskError && error.code === "not_found") {
        // It was silent for too long; its claims live on.
        await this.#register(this.#stopped.signal);
        return performance.now();
      }
      throw error;
    } catch (problem) {
      if (this.#stopped.signal.aborted) return Infinity;
      this.#logger.warn(`the heartbeat of ${sessionId} failed: ${String(problem)}`);
      return performance.now() + RETRY_MS;
    }
  }

  async #register(signal: AbortSignal): Promise<void> {
    const { sessionId, capabilities, metadata } = this.#session;
    const input = { capabilities: [...capabilities], metadata: { ...metadata } };
    const options = { deadlineMs: Infinity, signal };
    const { session } = await this.#tasks.register(sessionId, input, options);
    this.#sessionTtlMs = session.ttl_seconds * 1000;
  }

  #lose(taskId: string, attempt: number): void {
    if (this.#held.get(taskId)?.attempt !== attempt) return;
    this.#held.delete(taskId);
    this.#listener.lost(taskId, attempt);
  }
}

/** The longest time that a timer of Node can wait is about 25 days. */
const LONGEST_WAIT_MS = 24 * 60 * 60 * 1000;
