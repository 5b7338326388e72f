/**
 * A session of the agent: it is registered while the MCP server runs, and the leases of its claims are
 * renewed while the model thinks. It belongs to the agent itself, or to one of its subagents.
 */
import type { BusConnection } from "../client/bus-connection.ts";
import { CANCELLED, Claim } from "../client/claim.ts";
import type { Claimed } from "../client/claim-requests.ts";
import type { Logger } from "../client/logger.ts";
import { SessionLeases } from "../client/session-leases.ts";
import type { TaskClient } from "../client/task-client.ts";
import { hasCode, TaskError } from "../client/task-error.ts";
import { ClaimAsker } from "./claim-asker.ts";
import { HeldClaim } from "./held-claim.ts";
import type { Wanted } from "./next-task.ts";

export interface SessionContext {
  readonly link: BusConnection;
  readonly tasks: TaskClient;
  readonly logger: Logger;
  /** Distinguishes this process from others that use the same id. */
  readonly instance: string;
  readonly capabilities: readonly string[];
  readonly ttlSeconds: number | undefined;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Another process has taken over the session: all of its claims are lost. */
  replaced(error: TaskError): void;
  /** The claim is lost, or the holder is asked to stop. */
  troubled(held: HeldClaim, error: TaskError): void;
  /** The claim has ended, or is lost. */
  ended(held: HeldClaim): void;
}

/** How long the registration may take. Its retries have their own pauses. */
const REGISTER_MS = 15_000;
const UNREGISTER_MS = 800;
export class AgentSession {
  readonly id: string;
  readonly #context: SessionContext;
  readonly #leases: SessionLeases;
  readonly #held = new Map<string, HeldClaim>();
  readonly #asker: ClaimAsker;
  readonly #stopped = new AbortController();
  #started: Promise<void> | null = null;

  constructor(id: string, context: SessionContext) {
    this.id = id;
    this.#context = context;
    const { tasks, logger, link, instance, capabilities, metadata } = context;
    const settings = { sessionId: id, instance, capabilities, metadata, releaseOnDisconnect: true };
    const listener = {
      lost: (taskId: string, attempt: number) => {
        this.#claimOf(taskId, attempt)?.lose("its lease was not renewed in time");
      },
      cancelled: (taskId: string, attempt: number) => {
        this.#claimOf(taskId, attempt)?.stop(CANCELLED);
      },
      replaced: (error: TaskError) => {
        this.#replaced(error);
      },
    };
    this.#leases = new SessionLeases(tasks, settings, listener, logger, link);
    this.#asker = new ClaimAsker({
      ...{ tasks, logger, claimer: this.#claimer(), stopped: this.#stopped.signal },
      heldFor: (taskId) => this.#held.get(taskId),
      hold: (claimed) => this.#hold(claimed),
    });
  }

  get held(): readonly HeldClaim[] {
    return [...this.#held.values()];
  }

  /** Registers the session, once. @throws TaskError */
  start(): Promise<void> {
    this.#started ??= this.#start().catch((error: unknown) => {
      this.#started = null;
      throw error;
    });
    return this.#started;
  }

  async #start(): Promise<void> {
    // Unlike the registration, it says at once if no coordinator runs.
    await this.#context.tasks.stats();
    const late = new AbortController();
    const timer = setTimeout(() => {
      late.abort(new TaskError("unavailable", `the session ${this.id} could not be registered`));
    }, REGISTER_MS);
    try {
      await this.#leases.start(AbortSignal.any([this.#stopped.signal, late.signal]));
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits for a task. @throws TaskError; the signal's reason */
  next: ClaimAsker["next"] = (...args) => this.#noticing(this.#asker.next(...args));

  /** Claims one task. @throws TaskError; the signal's reason */
  claim: ClaimAsker["claim"] = (...args) => this.#noticing(this.#asker.claim(...args));

  /** The call that has claimed it was cancelled: the next one gets it, or it goes back to the pool. */
  keep(held: HeldClaim): void {
    this.#asker.keep(held);
  }

  /** Ends the session: its claims go back to the pool. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped.abort(new Error("the session has ended"));
    this.#asker.stop();
    for (const { claim } of this.held) claim.stop("the session ends");
    const { tasks, logger, instance } = this.#context;
    if (this.#started !== null) {
      const options = { deadlineMs: UNREGISTER_MS, timeoutMs: UNREGISTER_MS };
      await tasks
        .call("sessions.unregister", this.id, { instance }, options)
        .catch((error: unknown) => {
          logger.debug(`the session ${this.id} was not unregistered: ${String(error)}`);
        });
    }
    this.#leases.stop();
  }

  #claimer(): Wanted {
    const { instance, capabilities, ttlSeconds } = this.#context;
    return {
      session_id: this.id,
      instance,
      capabilities: [...capabilities],
      ...(ttlSeconds === undefined ? {} : { ttl_seconds: ttlSeconds }),
    };
  }

  /** A refusal can be the first to say that another process has the session. */
  async #noticing<T>(asking: Promise<T>): Promise<T> {
    try {
      return await asking;
    } catch (error) {
      if (hasCode(error, "session_replaced")) this.#replaced(error);
      throw error;
    }
  }

  #claimOf(taskId: string, attempt: number): Claim | undefined {
    const claim = this.#held.get(taskId)?.claim;
    return claim?.attempt === attempt ? claim : undefined;
  }

  #hold(claimed: Claimed): HeldClaim {
    const { task, attempt, lease, already_held: isOld } = claimed;
    const { task_id: taskId } = task;
    const before = this.#held.get(taskId);
    if (before?.claim.attempt === attempt && !before.claim.isOver) return before;
    const { tasks, link, logger, instance } = this.#context;
    const claim: Claim = new Claim(claimed, {
      ...{ sessionId: this.id, instance, tasks, connection: link.connection, logger },
      ended: (isAcknowledged) => {
        this.#leases[isAcknowledged ? "drop" : "abandon"](taskId, attempt);
        held.stop();
        if (this.#held.get(taskId) === held) this.#held.delete(taskId);
        this.#context.ended(held);
      },
      nextWanted: () => undefined,
      came: () => undefined,
      replaced: (error) => {
        this.#replaced(error);
      },
    });
    const held: HeldClaim = new HeldClaim(claim, this.id, async (progress) => {
      // It names the connection again, so that no report can make the lease outlast it.
      const holder = { session_id: this.id, instance, attempt, release_on_disconnect: true };
      try {
        const { cancel_requested: isCancelled } = await tasks.renew(taskId, {
          ...holder,
          progress,
        });
        // It may have been cancelled before this agent watched it.
        if (isCancelled) claim.stop(CANCELLED);
      } catch (error) {
        logger.debug(`the progress of ${taskId} was not reported: ${String(error)}`);
      }
    });
    claim.signal.addEventListener("abort", () => {
      if (!this.#stopped.signal.aborted)
        this.#context.troubled(held, claim.signal.reason as TaskError);
    });
    this.#held.set(taskId, held);
    this.#leases.keep({ taskId, attempt, ttlSeconds: lease.ttl_seconds, isOld });
    return held;
  }

  #replaced(error: TaskError): void {
    if (this.#stopped.signal.aborted) return;
    this.#leases.stop();
    for (const { claim } of this.held) claim.lose("another process has taken over its session");
    this.#stopped.abort(error);
    this.#started = null;
    this.#context.replaced(error);
  }
}
