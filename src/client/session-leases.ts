/**
 * Keeps a session registered and the leases of its claims renewed: one heartbeat for all of them, every
 * third of the shortest TTL. It reports which claims are lost or cancelled.
 *
 * A claim also counts as lost if no heartbeat is answered within its TTL: another session may have the
 * task by then, and nobody could tell this one. If the coordinator still holds the claim for this
 * session, heartbeats would keep it forever; so the claim is given back.
 *
 * A late heartbeat does not delay the next one. If several are under way, each answer counts from the
 * time at which its request was sent.
 */
import { MAX_PAGE } from "../protocol/fields.ts";
import { KeptClaims, type NamedClaim } from "./kept-claims.ts";
import type { KeptClaim, LeaseListener, LeaseRenewal, SessionSettings } from "./lease-renewal.ts";
import type { Logger } from "./logger.ts";
import type { TaskClient } from "./task-client.ts";
import { hasCode, TaskError } from "./task-error.ts";

/** Calls the listener after each reconnect, until the returned function is called. */
export interface Reconnects {
  onReconnect(listener: () => void): () => void;
}

/** How long to wait for the answer to a heartbeat; if a lease is shorter, as long as that. */
const LONGEST_PATIENCE_MS = 5_000;
/** Before a failed heartbeat is sent again: a part of the interval, within these bounds. */
const SHORTEST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
const PAUSES_PER_INTERVAL = 20;
const BEATS_PER_TTL = 3;
/** For this long after a reconnect, a failed heartbeat is sent again after the shortest pause. */
const MOVING_MS = 3_000;
/** The longest time that a timer of Node can wait is about 25 days. */
const LONGEST_WAIT_MS = 24 * 60 * 60 * 1000;

export class SessionLeases implements LeaseRenewal {
  readonly #tasks: TaskClient;
  readonly #session: SessionSettings;
  readonly #listener: LeaseListener;
  readonly #logger: Logger;
  readonly #claims = new KeptClaims();
  readonly #stopped = new AbortController();
  #sessionTtlMs = Infinity;
  #beatAt = Infinity;
  #isFailing = false;
  /**
   * After a reconnect, the coordinator must know the new connection soon. Until this time, or until a
   * heartbeat succeeds, the pauses are short.
   */
  #movingUntil = -Infinity;
  #stopListening: () => void = () => undefined;
  #isDraining = false;
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
      if (!this.#claims.holdsAny) return;
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
    this.#claims.hold(claim, now);
    this.#beatBy(claim.isOld ? now : now + this.#interval());
  }

  drop(taskId: string, attempt: number): void {
    this.#claims.drop(taskId, attempt);
  }

  abandon(taskId: string, attempt: number): void {
    const now = performance.now();
    this.#claims.abandon(taskId, attempt, now);
    this.#beatBy(now + SHORTEST_PAUSE_MS);
  }

  drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    // By then every worker of the coordinator knows what was claimed before.
    if (this.#claims.holdsAny) this.#beatBy(performance.now() + SHORTEST_PAUSE_MS);
  }

  stop(): void {
    this.#stopped.abort();
    this.#stopListening();
    clearTimeout(this.#timer);
  }

  #shortestTtl(): number {
    return Math.min(this.#sessionTtlMs, this.#claims.shortestTtlMs());
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
    const due = Math.min(this.#beatAt, this.#claims.firstExpiry());
    const wait = Math.min(Math.max(0, due - performance.now()), LONGEST_WAIT_MS);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#tick();
    }, wait);
  }

  #tick(): void {
    const now = performance.now();
    for (const { taskId, attempt } of this.#claims.expired(now)) {
      this.abandon(taskId, attempt);
      this.#listener.lost(taskId, attempt);
    }
    if (now >= this.#beatAt) {
      this.#beatAt = now + this.#interval();
      this.#beat();
    }
    this.#setTimer();
  }

  /** One heartbeat names at most `MAX_PAGE` claims. One that names none renews the session. */
  #beat(): void {
    const claims = this.#claims.named();
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
      const outcome = this.#claims.renewed(claims, reply, sentAt, this.#isDraining);
      for (const { task_id, attempt } of outcome.cancelled)
        this.#listener.cancelled(task_id, attempt);
      for (const { task_id, attempt } of outcome.lost) this.#listener.lost(task_id, attempt);
      for (const claim of outcome.stray) void this.#giveBack(claim);
    } catch (error) {
      await this.#beatFailed(error);
    }
  }

  /** If another session has the task by then, the coordinator refuses this. Never rejects. */
  async #giveBack({ task_id: taskId, attempt }: NamedClaim): Promise<void> {
    const { sessionId: session_id, instance } = this.#session;
    const holder = { session_id, instance, attempt };
    const options = { deadlineMs: 0, signal: this.#stopped.signal };
    try {
      await this.#tasks.release(taskId, { ...holder, status: "available" }, options);
    } catch (error) {
      this.#logger.debug(`${taskId} (attempt ${attempt}) was not given back: ${String(error)}`);
    }
    // The next heartbeat says whether the coordinator still holds it.
    this.#beatBy(performance.now() + this.#pause());
  }

  async #beatFailed(error: unknown): Promise<void> {
    if (hasCode(error, "session_replaced")) this.#replaced(error);
    else if (!hasCode(error, "not_found")) this.#failed(error);
    else if (!this.#isDraining) await this.#registerAgain();
  }

  /** The session was silent for too long, but its claims are still valid. */
  async #registerAgain(): Promise<void> {
    try {
      await this.#register(0, this.#stopped.signal);
      this.#beatBy(performance.now());
    } catch (error) {
      if (hasCode(error, "session_replaced")) this.#replaced(error);
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
