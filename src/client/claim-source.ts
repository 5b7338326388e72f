/**
 * Where a session's claims come from: it asks the coordinator for the next tasks, waits for them, and
 * keeps the leases of what it was given until each claim ends.
 */
import { MAX_CLAIMS } from "../protocol/fields.ts";
import type { RequestInput } from "../protocol/operations.ts";
import type { BusConnection } from "./bus-connection.ts";
import { CANCELLED, Claim, type ClaimOwner } from "./claim.ts";
import type { Logger } from "./logger.ts";
import { RenewalThread } from "./renewal-thread.ts";
import { type LeaseRenewal, SessionLeases } from "./session-leases.ts";
import type { TaskClient } from "./task-client.ts";
import { invalidInput } from "./task-error.ts";

/** Which tasks a session wants, and how it holds them. */
export interface ClaimOptions {
  /** The session's id. Use it in one place only: when that stops, all claims of the session end. */
  readonly session: string;
  /** What the session can do; others see it as long as the session is there. Default: nothing special. */
  readonly capabilities?: readonly string[];
  /** Only tasks that carry all of these. */
  readonly tags?: readonly string[];
  /** Only tasks whose id begins with this. */
  readonly prefix?: string;
  /** Length of the leases in seconds, 1 to 86,400. Default: the coordinator's, 300. */
  readonly ttlSeconds?: number;
  /** How long one request waits for a task, 0 to 60 seconds. Default 30. */
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
}

const DEFAULT_WAIT_SECONDS = 30;
/** To end a session that cannot reach the coordinator; its leases run out by themselves. */
const UNREGISTER_MS = 5_000;

export interface ClaimSourceContext {
  readonly link: BusConnection;
  readonly tasks: TaskClient;
  readonly logger: Logger;
}

export class ClaimSource {
  readonly #options: ClaimOptions;
  readonly #context: ClaimSourceContext;
  readonly #renewal: LeaseRenewal;
  readonly #held = new Map<string, Claim>();

  /** @throws TaskError `invalid_request` */
  constructor(options: ClaimOptions, context: ClaimSourceContext) {
    requireOptions(options);
    this.#options = options;
    this.#context = context;
    const { session: sessionId, capabilities = [], metadata = {} } = options;
    const session = { sessionId, capabilities, metadata };
    const listener = {
      lost: (taskId: string, attempt: number): void => {
        this.#heldAs(taskId, attempt)?.lose("its lease was not renewed in time");
      },
      cancelled: (taskId: string, attempt: number): void => {
        this.#heldAs(taskId, attempt)?.stop(CANCELLED);
      },
    };
    const { link, tasks, logger } = context;
    const here = new SessionLeases(tasks, session, listener, logger);
    this.#renewal =
      options.renewInThread === true
        ? new RenewalThread({ connect: link.options, session }, here, listener, logger)
        : here;
  }

  get held(): readonly Claim[] {
    return [...this.#held.values()];
  }

  /** Registers the session; asks until that is done. @throws TaskError for a refusal */
  start(signal: AbortSignal): Promise<void> {
    return this.#renewal.start(signal);
  }

  /**
   * The next tasks, at most `max`; none if there were none for `waitSeconds`. Asks until it is answered.
   *
   * @throws TaskError for a refusal; the signal's reason
   */
  async take(max: number, signal: AbortSignal): Promise<Claim[]> {
    const { session, capabilities, tags, prefix, ttlSeconds, waitSeconds } = this.#options;
    const input: RequestInput<"tasks.next"> = {
      session_id: session,
      wait_seconds: waitSeconds ?? DEFAULT_WAIT_SECONDS,
      max: Math.min(max, MAX_CLAIMS),
      ...(capabilities === undefined ? {} : { capabilities: [...capabilities] }),
      ...(tags === undefined ? {} : { tags: [...tags] }),
      ...(prefix === undefined ? {} : { prefix }),
      ...(ttlSeconds === undefined ? {} : { ttl_seconds: ttlSeconds }),
    };
    const { tasks, link, logger } = this.#context;
    const { claims } = await tasks.next(input, { deadlineMs: Infinity, signal });
    const owner: ClaimOwner = {
      sessionId: session,
      tasks,
      connection: link.connection,
      logger,
      ended: (claim) => {
        const { task_id: taskId } = claim.task;
        this.#renewal.drop(taskId, claim.attempt);
        if (this.#held.get(taskId) === claim) this.#held.delete(taskId);
      },
    };
    return claims.map((claimed) => {
      const { attempt, lease, already_held: isOld } = claimed;
      const { task_id: taskId } = claimed.task;
      const claim = new Claim(claimed, owner);
      this.#held.set(taskId, claim);
      this.#renewal.keep({ taskId, attempt, ttlSeconds: lease.ttl_seconds, isOld });
      return claim;
    });
  }

  /** Ends the session. What it still holds goes back to the pool. */
  async stop(): Promise<void> {
    const { session } = this.#options;
    const { tasks, logger } = this.#context;
    for (const claim of this.held) claim.stop("the session ends");
    try {
      // This also gives back what was claimed for a request that nobody waits for any more.
      await tasks.unregister(session, { deadlineMs: UNREGISTER_MS });
    } catch (error) {
      logger.warn(`the session ${session} was not ended in order: ${String(error)}`);
    }
    for (const claim of this.held) claim.lose("the session has ended");
    this.#renewal.stop();
  }

  #heldAs(taskId: string, attempt: number): Claim | undefined {
    const claim = this.#held.get(taskId);
    return claim?.attempt === attempt ? claim : undefined;
  }
}

/** The coordinator checks the rest and names what is wrong; this would be taken for something else. */
function requireOptions(options: ClaimOptions): void {
  if (typeof options.session !== "string" || options.session === "") {
    throw invalidInput("session", "name the session, such as session-1");
  }
}
