/**
 * Makes the claims of a session: it asks the coordinator for the next tasks, waits for them, and keeps
 * their leases until each claim is over.
 */
import type { BusConnection } from "./bus-connection.ts";
import { checkOptions } from "./check-options.ts";
import { CANCELLED, Claim } from "./claim.ts";
import {
  CLAIM_OPTIONS,
  type ClaimOptions,
  DEFAULT_WAIT_SECONDS,
  defaultSession,
} from "./claim-options.ts";
import type { Claimed } from "./claim-requests.ts";
import { findDeadEnds } from "./dead-ends.ts";
import type { LeaseListener, LeaseRenewal } from "./lease-renewal.ts";
import type { Logger } from "./logger.ts";
import { NextRequests } from "./next-requests.ts";
import { RenewalThread } from "./renewal-thread.ts";
import { SessionLeases } from "./session-leases.ts";
import type { TaskClient } from "./task-client.ts";
import { hasCode, invalidInput, type TaskError } from "./task-error.ts";
import { pause, within } from "./waiting.ts";

/** Between two requests, so that a session does not ask without a pause. */
const SHORTEST_WAIT_MS = 100;
/** If an answer comes earlier than this before its time, the coordinator did not wait to the end. */
const TOLERANCE_MS = 50;
/** How long to try to end a session without an answer; its leases expire by themselves. */
const UNREGISTER_MS = 5_000;
/** How long a session that ends waits for claims whose end is under way. */
const ENDING_MS = 1_000;

export interface ClaimSourceContext {
  /** Distinguishes this process from others that use the same session. */
  readonly instance: string;
  /** The sessions that are in use in this coordinator. */
  readonly sessions: Set<string>;
  /** Called once if another process has taken over the session: then all claims are lost. */
  readonly replaced: (error: TaskError) => void;
  readonly link: BusConnection;
  readonly tasks: TaskClient;
  readonly logger: Logger;
}

/** What the sessions of one coordinator have in common. */
export type WorkContext = Omit<ClaimSourceContext, "replaced">;

export class ClaimSource {
  /** The id of the session. */
  readonly session: string;
  /** After an end by `stopWhenIdle`: the tasks that are left because they cannot become available. */
  deadEnds: readonly string[] = [];
  readonly #options: ClaimOptions;
  readonly #context: ClaimSourceContext;
  readonly #renewal: LeaseRenewal;
  readonly #requests: NextRequests;
  readonly #held = new Map<string, Claim>();
  /** Those of the held claims that came with the end of others. `take` hands them out first. */
  #early: Claim[] = [];
  #isDraining = false;
  #isStarted = false;
  #isReplaced = false;
  #stopped: Promise<void> | null = null;
  /** Called when the last claim is over. */
  #emptied: () => void = () => undefined;

  /** @throws TaskError `invalid_request` */
  constructor(options: ClaimOptions, context: ClaimSourceContext) {
    checkOptions(options, CLAIM_OPTIONS);
    this.#options = options;
    this.#context = context;
    const { capabilities = [], metadata = {} } = options;
    const sessionId = options.session ?? defaultSession(context.link.options.credsFile);
    if (context.sessions.has(sessionId)) {
      throw invalidInput("session", `${sessionId} is in use here: leave it out, or choose another`);
    }
    this.session = sessionId;
    const { releaseOnDisconnect = false } = options;
    const { instance } = context;
    const session = { sessionId, instance, capabilities, metadata, releaseOnDisconnect };
    const listener: LeaseListener = {
      lost: (taskId, attempt) => {
        this.#heldAs(taskId, attempt)?.lose("its lease was not renewed in time");
      },
      cancelled: (taskId, attempt) => {
        this.#heldAs(taskId, attempt)?.stop(CANCELLED);
      },
      replaced: (error) => {
        this.#replaced(error);
      },
    };
    const { link, tasks, logger } = context;
    const here = new SessionLeases(tasks, session, listener, logger, link);
    this.#renewal =
      options.renewInThread === true
        ? new RenewalThread({ connect: link.options, session }, here, listener, logger)
        : here;
    this.#requests = new NextRequests({ session_id: sessionId, instance }, options, tasks);
    context.sessions.add(sessionId);
  }

  get held(): readonly Claim[] {
    return [...this.#held.values()];
  }

  /** Registers the session, and retries until that is done. @throws TaskError for a refusal */
  async start(signal: AbortSignal): Promise<void> {
    await this.#renewal.start(signal);
    this.#isStarted = true;
  }

  /**
   * The next tasks, at most `max`; none if there was none within `waitSeconds`. Asks until it is answered.
   *
   * @throws TaskError for a refusal; the signal's reason
   */
  async take(max: number, signal: AbortSignal): Promise<Claim[]> {
    const waitMs = (this.#options.waitSeconds ?? DEFAULT_WAIT_SECONDS) * 1000;
    const until = performance.now() + Math.max(waitMs, SHORTEST_WAIT_MS);
    for (;;) {
      const early = this.#early.splice(0, max).filter(({ isOver }) => !isOver);
      if (early.length > 0) return early;
      const leftMs = Math.max(0, until - performance.now());
      const claims = await this.#ask(max, leftMs, signal);
      const hasWaited = performance.now() >= until - TOLERANCE_MS;
      if (claims.length > 0) return claims.map((claimed) => this.#hold(claimed));
      if (this.#early.length > 0) continue;
      if (hasWaited) {
        const isIdle = this.#options.stopWhenIdle === true && this.#held.size === 0;
        if (isIdle) await this.#findDeadEnds();
        return [];
      }
      // A coordinator that is being stopped answers early. Another one lets the request wait.
      await pause(SHORTEST_WAIT_MS, signal);
    }
  }

  /** The session takes no more tasks. A task that was claimed for it without its knowledge goes back. */
  drain(): void {
    this.#isDraining = true;
    this.#renewal.drain();
    for (const claim of this.#early.splice(0)) this.#giveBack(claim);
  }

  /** Drains, and ends the session when all claims are over, or the time is. */
  async stopAfter(deadlineMs: number): Promise<void> {
    this.drain();
    const emptied = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    if (this.#held.size > 0) await within(deadlineMs, emptied);
    await this.stop();
  }

  /** Ends the session. The tasks that it still holds go back to the pool. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.drain();
    const ending = Promise.all(this.held.map((claim) => claim.ending()));
    for (const claim of this.held) claim.stop("the session ends");
    // A task that is complete in a moment need not be done again.
    await within(ENDING_MS, ending);
    if (!this.#isReplaced) await this.#unregister();
    for (const claim of this.held) claim.lose("the session has ended");
    this.#renewal.stop();
    this.#context.sessions.delete(this.session);
  }

  /** The claims belong to the other process now: this one neither ends them nor gives them back. */
  #replaced(error: TaskError): void {
    if (this.#isReplaced) return;
    this.#isReplaced = true;
    this.#renewal.stop();
    for (const claim of this.held) claim.lose("another process has taken over its session");
    this.#context.replaced(error);
  }

  async #findDeadEnds(): Promise<void> {
    const { tasks, logger } = this.#context;
    this.deadEnds = await findDeadEnds(this.session, this.#options, tasks, logger);
  }

  /** This also gives back tasks that were claimed for a request that was aborted. */
  async #unregister(): Promise<void> {
    const { session } = this;
    const { tasks, logger, instance } = this.#context;
    const options = { deadlineMs: this.#isStarted ? UNREGISTER_MS : 0 };
    try {
      await tasks.call("sessions.unregister", session, { instance }, options);
    } catch (error) {
      // If its registration was not answered, there is hardly a session to end.
      const level = this.#isStarted ? "warn" : "debug";
      logger[level](`the session ${session} was not unregistered: ${String(error)}`);
    }
  }

  async #ask(max: number, waitMs: number, signal: AbortSignal): Promise<readonly Claimed[]> {
    try {
      return await this.#requests.ask(max, waitMs, signal);
    } catch (error) {
      if (hasCode(error, "session_replaced")) this.#replaced(error);
      throw error;
    }
  }

  /** The claims came with the end of another claim. */
  #came(claims: readonly Claimed[]): void {
    for (const claimed of claims) {
      const claim = this.#hold(claimed);
      if (this.#isDraining) this.#giveBack(claim);
      else this.#early.push(claim);
    }
    if (this.#early.length > 0) this.#requests.stop();
  }

  #giveBack(claim: Claim): void {
    claim.release().catch((error: unknown) => {
      this.#context.logger.warn(`${claim.task.task_id} was not given back: ${String(error)}`);
    });
  }

  #hold(claimed: Claimed): Claim {
    const { tasks, link, logger, instance } = this.#context;
    const { task, attempt, lease, already_held: isOld } = claimed;
    const { task_id: taskId } = task;
    const claim: Claim = new Claim(claimed, {
      sessionId: this.session,
      instance,
      tasks,
      connection: link.connection,
      logger,
      ended: (isAcknowledged) => {
        this.#renewal[isAcknowledged ? "drop" : "abandon"](taskId, attempt);
        if (this.#held.get(taskId) === claim) this.#held.delete(taskId);
        if (this.#held.size === 0) this.#emptied();
      },
      // While a request waits for a task, another one would not find any either.
      nextWanted: () =>
        this.#isDraining || this.#requests.isAsking ? undefined : this.#requests.wanted(),
      came: (claims) => {
        this.#came(claims);
      },
      replaced: (error) => {
        this.#replaced(error);
      },
    });
    this.#held.set(taskId, claim);
    this.#renewal.keep({ taskId, attempt, ttlSeconds: lease.ttl_seconds, isOld });
    return claim;
  }

  #heldAs(taskId: string, attempt: number): Claim | undefined {
    const claim = this.#held.get(taskId);
    return claim?.attempt === attempt ? claim : undefined;
  }
}
