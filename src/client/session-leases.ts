/**
 * Keeps a session registered and the leases of its claims renewed, with one heartbeat for all of them
 * every third of the shortest TTL; and tells which claims it has lost or should stop working on.
 *
 * A claim also counts as lost when its TTL is over without a heartbeat that was answered: then somebody
 * else may have the task by now, and nobody could tell this session. Should the coordinator hold it for
 * the session all the same, heartbeats would keep it for ever: so it is given back.
 *
 * A heartbeat that is late does not hold up the next one: of several under way, each answer counts from
 * when its request was sent.
 */
import { MAX_PAGE } from "../protocol/fields.ts";
import type { KeptClaim, LeaseListener, LeaseRenewal, SessionSettings } from "./lease-renewal.ts";
import type { Logger } from "./logger.ts";
import type { TaskClient } from "./task-client.ts";
import { TaskError } from "./task-error.ts";

/** Tells of reconnects, until the returned function is called. */
export interface Reconnects {
  onReconnect(listener: () => void): () => void;
}

interface Held extends KeptClaim {
  /** When the lease may have run out, by `performance.now()`. */
  readonly validUntil: number;
}

interface Abandoned extends Pick<KeptClaim, "attempt" | "ttlSeconds"> {
  readonly since: number;
}

interface NamedClaim {
  readonly task_id: string;
  readonly attempt: number;
}

type Beat = Awaited<ReturnType<TaskClient["heartbeat"]>>;

/** How long to wait for the answer to a heartbeat; with a shorter lease, as long as that lasts. */
const LONGEST_PATIENCE_MS = 5_000;
/** Before a heartbeat that has failed is sent again: a part of the interval, within these bounds. */
const SHORTEST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
const PAUSES_PER_INTERVAL = 20;
const BEATS_PER_TTL = 3;
/** For how long after a reconnect a heartbeat that has failed is sent again without a longer pause. */
const MOVING_MS = 3_000;

export class SessionLeases implements LeaseRenewal {
  readonly #tasks: TaskClient;
  readonly #session: SessionSettings;
  readonly #listener: LeaseListener;
  readonly #logger: Logger;
  readonly #held = new Map<string, Held>();
  /** Given up by this side only, since when; until the coordinator says that it does not hold them. */
  readonly #abandoned = new Map<string, Abandoned>();
  readonly #stopped = new AbortController();
  #sessionTtlMs = Infinity;
  #beatAt = Infinity;
  #isFailing = false;
  /** Until then, unless it succeeds before: the connection is a new one, which has to be told in no time. */
  #movingUntil = -Infinity;
  #stopListening: () => void = () => undefined;
  #isLeaving = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    tasks: TaskClient,
    session: SessionSettings,
    listener: LeaseListener,
    logger: Logger,
    reconnects?: Reconnects,
  ) {
    this.#tasks = tasks;
    this.#session = session;
    this.#listener = listener;
    this.#logger = logger;
    if (session.releaseOnDisconnect !== true || reconnects === undefined) return;
    this.#stopListening = reconnects.onReconnect(() => {
      if (this.#held.size === 0) return;
      const now = performance.now();
      this.#movingUntil = now + MOVING_MS;
      this.#beatBy(now);
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#register(Infinity, AbortSignal.any([signal, this.#stopped.signal]));
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

  abandon(taskId: string, attempt: number): void {
    const now = performance.now();
    const ttlSeconds = this.#held.get(taskId)?.ttlSeconds ?? Infinity;
    this.#abandoned.set(taskId, { attempt, ttlSeconds, since: now });
    this.drop(taskId, attempt);
    this.#beatBy(now + SHORTEST_PAUSE_MS);
  }

  leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    // Late enough for every coordinator to know of what was claimed until now.
    if (this.#held.size > 0) this.#beatBy(performance.now() + SHORTEST_PAUSE_MS);
  }

  stop(): void {
    this.#stopped.abort();
    this.#stopListening();
    clearTimeout(this.#timer);
  }

  #shortestTtl(): number {
    const claims = [...this.#held.values(), ...this.#abandoned.values()];
    return Math.min(this.#sessionTtlMs, ...claims.map(({ ttlSeconds }) => ttlSeconds * 1000));
  }

  #interval(): number {
    return this.#shortestTtl() / BEATS_PER_TTL;
  }

  #pause(): number {
    if (performance.now() < this.#movingUntil) return SHORTEST_PAUSE_MS;
    const pause = this.#interval() / PAUSES_PER_INTERVAL;
    return Math.min(Math.max(SHORTEST_PAUSE_MS, pause), LONGEST_PAUSE_MS);
  }

  #beatBy(time: number): void {
    this.#beatAt = Math.min(this.#beatAt, time);
    this.#setTimer();
  }

  #setTimer(): void {
    if (this.#stopped.signal.aborted) return;
    let due = this.#beatAt;
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
      if (validUntil > now) continue;
      this.abandon(taskId, attempt);
      this.#listener.lost(taskId, attempt);
    }
    if (now >= this.#beatAt) {
      this.#beatAt = now + this.#interval();
      this.#beat();
    }
    this.#setTimer();
  }

  /** One heartbeat names no more than so many claims; one that names none renews the session. */
  #beat(): void {
    const named = new Map<string, { attempt: number }>([...this.#abandoned, ...this.#held]);
    const claims = [...named].map(([task_id, { attempt }]) => ({ task_id, attempt }));
    do void this.#beatFor(claims.splice(0, MAX_PAGE));
    while (claims.length > 0);
  }

  /** Never rejects. */
  async #beatFor(claims: readonly NamedClaim[]): Promise<void> {
    const sentAt = performance.now();
    const timeoutMs = Math.min(this.#shortestTtl(), LONGEST_PATIENCE_MS);
    const options = { deadlineMs: 0, timeoutMs, signal: this.#stopped.signal };
    const { sessionId, instance, releaseOnDisconnect = false } = this.#session;
    const connection = releaseOnDisconnect ? { release_on_disconnect: true } : {};
    try {
      const input = { instance, claims: [...claims], ...connection };
      const reply = await this.#tasks.heartbeat(sessionId, input, options);
      this.#isFailing = false;
      this.#movingUntil = -Infinity;
      this.#renewed(claims, reply, sentAt);
    } catch (error) {
      await this.#beatFailed(error);
    }
  }

  #renewed(named: readonly NamedClaim[], reply: Beat, sentAt: number): void {
    const { claims, unnamed, lost, cancelled } = reply;
    const attempts = new Map(named.map(({ task_id, attempt }) => [task_id, attempt]));
    for (const { task_id: taskId, attempt, lease } of claims) {
      const held = this.#held.get(taskId);
      if (held?.attempt !== attempt) continue;
      const validUntil = Math.max(held.validUntil, sentAt + lease.ttl_seconds * 1000);
      this.#held.set(taskId, { ...held, validUntil });
    }
    for (const taskId of cancelled) {
      const attempt = attempts.get(taskId);
      if (attempt !== undefined) this.#listener.cancelled(taskId, attempt);
    }
    for (const taskId of lost) {
      const attempt = attempts.get(taskId);
      if (attempt === undefined || this.#held.get(taskId)?.attempt !== attempt) continue;
      this.#held.delete(taskId);
      this.#listener.lost(taskId, attempt);
    }
    for (const { task_id: taskId, attempt } of [...claims, ...unnamed]) {
      // Before `leave`, what is not known may be just about to be handed out.
      const isStray = this.#isLeaving
        ? this.#held.get(taskId)?.attempt !== attempt
        : this.#abandoned.get(taskId)?.attempt === attempt;
      if (isStray) void this.#giveBack(taskId, attempt);
    }
    const renewed = new Set(claims.map(({ task_id: taskId }) => taskId));
    for (const { task_id: taskId } of named) {
      const { since = Infinity } = this.#abandoned.get(taskId) ?? {};
      if (sentAt >= since && !renewed.has(taskId)) this.#abandoned.delete(taskId);
    }
  }

  /** Of a claim that somebody else has by then, this is refused. Never rejects. */
  async #giveBack(taskId: string, attempt: number): Promise<void> {
    const { sessionId: session_id, instance } = this.#session;
    const holder = { session_id, instance, attempt };
    const options = { deadlineMs: 0, signal: this.#stopped.signal };
    try {
      await this.#tasks.release(taskId, { ...holder, status: "available" }, options);
    } catch (error) {
      this.#logger.debug(`${taskId} (attempt ${attempt}) was not given back: ${String(error)}`);
    }
    // It says whether the coordinator still holds it.
    this.#beatBy(performance.now() + this.#pause());
  }

  async #beatFailed(error: unknown): Promise<void> {
    if (isReplacement(error)) this.#replaced(error);
    else if (!(error instanceof TaskError && error.code === "not_found")) this.#failed(error);
    else if (!this.#isLeaving) await this.#registerAgain();
  }

  /** It was silent for too long; its claims live on. */
  async #registerAgain(): Promise<void> {
    try {
      await this.#register(0, this.#stopped.signal);
      this.#beatBy(performance.now());
    } catch (error) {
      if (isReplacement(error)) this.#replaced(error);
      else this.#failed(error);
    }
  }

  #replaced(error: TaskError): void {
    if (this.#stopped.signal.aborted) return;
    this.stop();
    this.#listener.replaced(error);
  }

  #failed(error: unknown): void {
    if (this.#stopped.signal.aborted) return;
    const line = `the heartbeat of ${this.#session.sessionId} failed: ${String(error)}`;
    this.#logger[this.#isFailing ? "debug" : "warn"](line);
    this.#isFailing = true;
    const mayHelp = error instanceof TaskError && error.retryable;
    if (mayHelp) this.#beatBy(performance.now() + this.#pause());
  }

  async #register(deadlineMs: number, signal: AbortSignal): Promise<void> {
    const { sessionId, instance, capabilities, metadata } = this.#session;
    const input = { instance, capabilities: [...capabilities], metadata: { ...metadata } };
    const { session } = await this.#tasks.register(sessionId, input, { deadlineMs, signal });
    this.#sessionTtlMs = session.ttl_seconds * 1000;
  }
}

function isReplacement(error: unknown): error is TaskError {
  return error instanceof TaskError && error.code === "session_replaced";
}

/** The longest time that a timer of Node can wait is about 25 days. */
const LONGEST_WAIT_MS = 24 * 60 * 60 * 1000;
