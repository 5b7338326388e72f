/**
 * The agent behind one MCP client: its sessions, the claims that they hold, and its notices. Nothing happens
 * before the first call of a tool, because clients also start a server only to ask for its tools.
 */
import type { Coordinator } from "../client/coordinator.ts";
import type { EventBus } from "../client/event-bus.ts";
import type { Logger } from "../client/logger.ts";
import type { TaskError } from "../client/task-error.ts";
import { isValidId, MAX_ID_LENGTH } from "../protocol/subjects.ts";
import { AgentSession, type SessionContext } from "./agent-session.ts";
import { EndedClaims } from "./ended-claims.ts";
import type { HeldClaim } from "./held-claim.ts";
import { Notices } from "./notices.ts";
import type { View } from "./task-view.ts";
import { ToolError } from "./tool-error.ts";
import type { TaskWait } from "./task-wait.ts";

export interface OpenCoordinator {
  readonly bus: EventBus;
  readonly coordinator: Coordinator;
}

export interface AgentOptions {
  /** Connects. Called again after it has failed. */
  open(): Promise<OpenCoordinator>;
  /** The id of the agent's own session. Called once, by the first call of a tool. */
  session(): string;
  readonly capabilities?: readonly string[];
  readonly ttlSeconds?: number | undefined;
  /** Shown with the sessions. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly logger: Logger;
  /** Called when the claims change that the model believes to hold: those that are lost, too, until it takes another task. */
  readonly believes?: (session: string, claims: readonly HeldClaim[]) => void;
}

/** The number of a request of the client. */
export type CallId = string | number;

/** Of the ids that replace an id which another process has taken over. */
const RANDOM_LENGTH = 4;

export class Agent {
  readonly notices = new Notices();
  readonly ended = new EndedClaims();
  /** Distinguishes this process from others that use the same sessions. */
  readonly instance = crypto.randomUUID();
  readonly #options: AgentOptions;
  readonly #sessions = new Map<string, AgentSession>();
  readonly #claims = new Map<string, HeldClaim>();
  /** What the model believes to hold. */
  readonly #believed = new Set<HeldClaim>();
  #open: Promise<OpenCoordinator> | null = null;
  /** The wait of each session that goes on after its call. */
  readonly #waits = new Map<string, TaskWait>();
  #base: string | undefined;
  /** Calls of tools that are under way. */
  #calls = 0;
  #lastHandOut: { readonly held: HeldClaim; readonly call: CallId } | null = null;

  constructor(options: AgentOptions) {
    this.#options = options;
  }

  /** Whether a call of a tool is under way. */
  get isBusy(): boolean {
    return this.#calls > 0;
  }

  /** Counts the call of a tool while it lasts. */
  async during<T>(call: () => Promise<T>): Promise<T> {
    this.#calls++;
    try {
      return await call();
    } finally {
      this.#calls--;
    }
  }

  /** Connects, if that has not been done. @throws ConnectionError, ContextError */
  async coordinator(): Promise<Coordinator> {
    return (await this.#opened()).coordinator;
  }

  /** The id of the agent's session, or of the session of its subagent. @throws ToolError */
  sessionId(as?: string): string {
    this.#base ??= this.#options.session();
    if (as === undefined) return this.#base;
    const id = `${this.#base}.${as}`;
    if (isValidId(id)) return id;
    const problem = `as: must be a short name of letters, digits and "-" (at most ${MAX_ID_LENGTH} characters with the session)`;
    throw new ToolError("invalid_request", problem, "Choose another name and call the tool again.");
  }

  /** The session, registered. @throws ToolError, TaskError, ConnectionError */
  async session(as?: string): Promise<AgentSession> {
    const id = this.sessionId(as);
    const { bus, coordinator } = await this.#opened();
    let session = this.#sessions.get(id);
    if (session === undefined) {
      session = new AgentSession(id, this.#contextOf(id, bus, coordinator));
      this.#sessions.set(id, session);
    }
    await session.start();
    return session;
  }

  /** One wait of each session goes on after its call has ended. `null`: none. */
  goOnWaiting(session: string, wait: TaskWait | null): void {
    this.#waits.get(session)?.stop();
    if (wait === null) this.#waits.delete(session);
    else this.#waits.set(session, wait);
  }

  /** Those of one session, or all. */
  claims(session?: string): readonly HeldClaim[] {
    const all = [...this.#claims.values()];
    return session === undefined ? all : all.filter((held) => held.session === session);
  }

  held(handle: string): HeldClaim | undefined {
    return this.#claims.get(handle);
  }

  /** The answer of a call tells the model about the claim. */
  handOut(held: HeldClaim, call: CallId): void {
    held.isKnown = true;
    this.#claims.set(held.handle, held);
    // It may have been cancelled or lost before the model knew of it.
    const { signal } = held.claim;
    if (signal.aborted) this.#notify(held, signal.reason as TaskError);
    // A model that takes another task has given the lost ones up.
    for (const one of this.#believed) if (one.claim.isOver) this.#believed.delete(one);
    this.#believed.add(held);
    this.#tellBelieved();
    this.#lastHandOut = { held, call };
  }

  /** The client no longer waits for the call. If its answer is under way, the model does not get it. */
  cancelled(call: CallId): void {
    if (this.#lastHandOut?.call !== call) return;
    const { held } = this.#lastHandOut;
    this.#lastHandOut = null;
    if (held.claim.isOver) return;
    held.isKnown = false;
    this.#claims.delete(held.handle);
    this.#sessions.get(held.session)?.keep(held);
  }

  /** The model has ended the claim, and knows that. */
  finished(held: HeldClaim, outcome: string, reply: View): void {
    this.ended.finished(held, outcome, reply);
    if (this.#believed.delete(held)) this.#tellBelieved();
  }

  #tellBelieved(): void {
    this.#options.believes?.(this.sessionId(), [...this.#believed]);
  }

  /** Gives back everything that is held, and disconnects. Never rejects. */
  async stop(): Promise<void> {
    const hasClaims = this.#believed.size > 0;
    this.#believed.clear();
    if (hasClaims) this.#tellBelieved();
    await Promise.all([...this.#sessions.values()].map((session) => session.stop()));
    const open = await this.#open?.catch(() => null);
    await open?.bus.disconnect().catch(() => undefined);
  }

  async #opened(): Promise<OpenCoordinator> {
    this.#open ??= this.#options.open().catch((error: unknown) => {
      this.#open = null;
      throw error;
    });
    return await this.#open;
  }

  #contextOf(id: string, bus: EventBus, { tasks }: Coordinator): SessionContext {
    const { logger, capabilities = [], ttlSeconds, metadata = {} } = this.#options;
    return {
      ...{ link: bus.link, tasks, logger, instance: this.instance },
      ...{ capabilities, ttlSeconds, metadata },
      replaced: () => {
        this.#replaced(id);
      },
      troubled: (held, error) => {
        this.#troubled(held, error);
      },
      ended: (held) => {
        this.#claims.delete(held.handle);
      },
    };
  }

  #troubled(held: HeldClaim, error: TaskError): void {
    if (error.code === "lease_lost") this.ended.lost(held, error.message);
    if (held.isKnown) this.#notify(held, error);
  }

  #notify({ handle, session }: HeldClaim, error: TaskError): void {
    const text =
      error.code === "lease_lost"
        ? `${handle} is lost: stop working on it and publish nothing.`
        : `${handle} was cancelled: stop working on it, then finish_task with give_back.`;
    this.notices.add(session, text);
  }

  /** Two processes with one session would take it from each other again and again. */
  #replaced(id: string): void {
    this.#sessions.delete(id);
    if (id !== this.#base) return;
    this.#base = `${id}-${crypto.randomUUID().slice(0, RANDOM_LENGTH)}`;
    this.notices.add(
      this.#base,
      `Another process has taken over the session ${id} and its tasks. You are ${this.#base} now.`,
    );
  }
}
