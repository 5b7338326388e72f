/**
 * Where a session's claims come from: it asks the coordinator for the next tasks, waits for them, and
 * keeps the leases of what it was given until each claim ends.
 */
import { MAX_CLAIMS, MAX_WAIT_SECONDS } from "../protocol/fields.ts";
import type { BusConnection } from "./bus-connection.ts";
import { checkOptions, type OptionTypes } from "./check-options.ts";
import { CANCELLED, Claim } from "./claim.ts";
import type { Claimed } from "./claim-owner.ts";
import { defaultSession } from "./default-session.ts";
import type { LeaseRenewal } from "./lease-renewal.ts";
import { findDeadEnds } from "./dead-ends.ts";
import type { Logger } from "./logger.ts";
import type { Connected } from "./connection-field.ts";
import { RenewalThread } from "./renewal-thread.ts";
import { SessionLeases } from "./session-leases.ts";
import type { TaskClient } from "./task-client.ts";
import { invalidInput, TaskError } from "./task-error.ts";
import { pause, within } from "./waiting.ts";

/** Which tasks a session wants, and how it holds them. */
export interface ClaimOptions {
  /**
   * The session's id; one for each process. Another process that comes to use the same id takes its
   * claims, and this one ends with `session_replaced`. Default: `<host>-<pid>-<random>`.
   */
  readonly session?: string;
  /** What the session can do; others see it as long as the session is there. Default: nothing special. */
  readonly capabilities?: readonly string[];
  /** Only tasks that carry all of these. */
  readonly tags?: readonly string[];
  /** Only tasks whose id begins with this. */
  readonly prefix?: string;
  /** Length of the leases in seconds, 1 to 86,400. Default: the coordinator's, 300. */
  readonly ttlSeconds?: number;
  /** How long one request waits for a task, 0 to 60 seconds; at least a tenth. Default 30. */
  readonly waitSeconds?: number;
  /** End when a request has waited in vain, instead of asking for ever. Default false. */
  readonly stopWhenIdle?: boolean;
  /** Shown with the session. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /**
   * Renew the leases from a thread with a connection of its own, for work that blocks the event loop for
   * longer than a third of the lease. Default false.
   */
  readonly renewInThread?: boolean;
  /**
   * Give the tasks back as soon as the connection is lost and not there again within half a second, as
   * when this process dies, instead of after `ttlSeconds`. Without a NATS user of the system account the
   * coordinator cannot do it; `tasks.stats` says whether it can. Default false.
   */
  readonly releaseOnDisconnect?: boolean;
}

export const CLAIM_OPTIONS: OptionTypes<ClaimOptions> = {
  session: "string",
  capabilities: "strings",
  tags: "strings",
  prefix: "string",
  ttlSeconds: "number",
  waitSeconds: "number",
  stopWhenIdle: "boolean",
  metadata: "object",
  renewInThread: "boolean",
  releaseOnDisconnect: "boolean",
};

const DEFAULT_WAIT_SECONDS = 30;
/** Whoever asks again and again must not do it without a pause. */
const SHORTEST_WAIT_MS = 100;
/** An answer that comes earlier than this before its time was not waited for to the end. */
const TOLERANCE_MS = 50;
/** To end a session that cannot reach the coordinator; its leases run out by themselves. */
const UNREGISTER_MS = 5_000;
/** For claims that are being ended while the session ends. */
const ENDING_MS = 1_000;

export interface ClaimSourceContext {
  /** Tells this process from others that use the same session. */
  readonly instance: string;
  /** The sessions that are in use here. */
  readonly sessions: Set<string>;
  /** Is told once if another process has taken over the session: everything here is over. */
  readonly replaced: (error: TaskError) => void;
  readonly link: BusConnection;
  readonly tasks: TaskClient;
  readonly logger: Logger;
}

/** The same for all that goes on in a coordinator. */
export type WorkContext = Omit<ClaimSourceContext, "replaced">;

export class ClaimSource {
  /** The id of the session. */
  readonly session: string;
  /** The tasks that were left, when it was idle and is to stop then, as they can't become available. */
  deadEnds: readonly string[] = [];
  readonly #options: ClaimOptions;
  readonly #context: ClaimSourceContext;
  readonly #renewal: LeaseRenewal;
  readonly #held = new Map<string, Claim>();
  #isStarted = false;
  #isReplaced = false;
  #stopped: Promise<void> | null = null;
  /** Is called when nothing is held any more. */
  #emptied: () => void = () => undefined;

  /** @throws TaskError `invalid_request` */
  constructor(options: ClaimOptions, context: ClaimSourceContext) {
    requireOptions(options);
    this.#options = options;
    this.#context = context;
    const { session: sessionId = defaultSession(), capabilities = [], metadata = {} } = options;
    if (context.sessions.has(sessionId)) {
      throw invalidInput("session", `${sessionId} is in use here: leave it out, or choose another`);
    }
    this.session = sessionId;
    const { releaseOnDisconnect = false } = options;
    const { instance } = context;
    const session = { sessionId, instance, capabilities, metadata, releaseOnDisconnect };
    const listener = {
      lost: (taskId: string, attempt: number): void => {
        this.#heldAs(taskId, attempt)?.lose("its lease was not renewed in time");
      },
      cancelled: (taskId: string, attempt: number): void => {
        this.#heldAs(taskId, attempt)?.stop(CANCELLED);
      },
      replaced: (error: TaskError): void => {
        this.#replaced(error);
      },
    };
    const { link, tasks, logger } = context;
    const here = new SessionLeases(tasks, session, listener, logger, link);
    this.#renewal =
      options.renewInThread === true
        ? new RenewalThread({ connect: link.options, session }, here, listener, logger)
        : here;
    context.sessions.add(sessionId);
  }

  get held(): readonly Claim[] {
    return [...this.#held.values()];
  }

  /** Registers the session; asks until that is done. @throws TaskError for a refusal */
  async start(signal: AbortSignal): Promise<void> {
    await this.#renewal.start(signal);
    this.#isStarted = true;
  }

  /**
   * The next tasks, at most `max`; none if there were none for `waitSeconds`. Asks until it is answered.
   *
   * @throws TaskError for a refusal; the signal's reason
   */
  async take(max: number, signal: AbortSignal): Promise<Claim[]> {
    const waitMs = (this.#options.waitSeconds ?? DEFAULT_WAIT_SECONDS) * 1000;
    const until = performance.now() + Math.max(waitMs, SHORTEST_WAIT_MS);
    for (;;) {
      const leftMs = Math.max(0, until - performance.now());
      const claims = await this.#next(max, leftMs, signal);
      const isOver = performance.now() >= until - TOLERANCE_MS;
      if (claims.length > 0) return claims.map((claimed) => this.#hold(claimed));
      if (isOver) {
        const isIdle = this.#options.stopWhenIdle === true && this.#held.size === 0;
        if (isIdle) this.deadEnds = await findDeadEnds(this.#options, this.#context);
        return [];
      }
      // A coordinator that is being stopped answers early; another one will let it wait.
      await pause(SHORTEST_WAIT_MS, signal);
    }
  }

  /** Nothing more is taken. What was claimed for the session without its knowledge goes back. */
  leave(): void {
    this.#renewal.leave();
  }

  /** Ends the session when all claims have ended, or the time is over. */
  async end(deadlineMs: number): Promise<void> {
    this.leave();
    const emptied = new Promise<void>((resolve) => {
      this.#emptied = resolve;
    });
    if (this.#held.size > 0) await within(deadlineMs, emptied);
    await this.stop();
  }

  /** Ends the session. What it still holds goes back to the pool. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.leave();
    const ending = Promise.all(this.held.map((claim) => claim.ending()));
    for (const claim of this.held) claim.stop("the session ends");
    // What is complete in a moment need not be done again.
    await within(ENDING_MS, ending);
    if (!this.#isReplaced) await this.#unregister();
    for (const claim of this.held) claim.lose("the session has ended");
    this.#renewal.stop();
    this.#context.sessions.delete(this.session);
  }

  /** What is held belongs to the other process by now: nothing of it is given back, or ended. */
  #replaced(error: TaskError): void {
    if (this.#isReplaced) return;
    this.#isReplaced = true;
    this.#renewal.stop();
    for (const claim of this.held) claim.lose("another process has taken over its session");
    this.#context.replaced(error);
  }

  /** This also gives back what was claimed for a request that nobody waits for any more. */
  async #unregister(): Promise<void> {
    const { session } = this;
    const { tasks, logger, instance } = this.#context;
    const options = { deadlineMs: this.#isStarted ? UNREGISTER_MS : 0 };
    try {
      await tasks.call("sessions.unregister", session, { instance }, options);
    } catch (error) {
      // Without an answer to its registration there is hardly a session that could be left over.
      const level = this.#isStarted ? "warn" : "debug";
      logger[level](`the session ${session} was not ended in order: ${String(error)}`);
    }
  }

  async #next(max: number, waitMs: number, signal: AbortSignal): Promise<readonly Claimed[]> {
    const { capabilities, tags, prefix, ttlSeconds } = this.#options;
    const input: Connected<"tasks.next"> = {
      session_id: this.session,
      instance: this.#context.instance,
      wait_seconds: waitMs / 1000,
      max: Math.min(max, MAX_CLAIMS),
      release_on_disconnect: this.#options.releaseOnDisconnect ?? false,
      ...(capabilities === undefined ? {} : { capabilities: [...capabilities] }),
      ...(tags === undefined ? {} : { tags: [...tags] }),
      ...(prefix === undefined ? {} : { prefix }),
      ...(ttlSeconds === undefined ? {} : { ttl_seconds: ttlSeconds }),
    };
    try {
      const options = { deadlineMs: Infinity, signal };
      return (await this.#context.tasks.next(input, options)).claims;
    } catch (error) {
      if (error instanceof TaskError && error.code === "session_replaced") this.#replaced(error);
      throw error;
    }
  }

  #hold(claimed: Claimed): Claim {
    const { tasks, link, logger, instance } = this.#context;
    const { task, attempt, lease, already_held: isOld } = claimed;
    const { task_id: taskId } = task;
    const claim = new Claim(claimed, {
      sessionId: this.session,
      instance,
      tasks,
      connection: link.connection,
      logger,
      ended: (ended, isAcknowledged) => {
        this.#renewal[isAcknowledged ? "drop" : "abandon"](taskId, attempt);
        if (this.#held.get(taskId) === ended) this.#held.delete(taskId);
        if (this.#held.size === 0) this.#emptied();
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

/** The coordinator checks the rest and names what is wrong; this would be taken for something else. */
function requireOptions(options: ClaimOptions): void {
  checkOptions(options, CLAIM_OPTIONS);
  const { session, waitSeconds = DEFAULT_WAIT_SECONDS } = options;
  if (session === "") {
    throw invalidInput("session", "must not be empty: leave it out, or give it a name");
  }
  if (!(waitSeconds >= 0 && waitSeconds <= MAX_WAIT_SECONDS)) {
    throw invalidInput("waitSeconds", `must be 0 to ${MAX_WAIT_SECONDS}`);
  }
}
