/**
 * How many claims a session and an agent may hold, and for how long.
 *
 * The counts are those of the index and of the claims for `next` that are under way here. So requests for single
 * tasks, and other workers, can exceed a limit by as many as are under way at the same time.
 *
 * The sessions of an agent begin with its name, so their claims are counted under the first part of the session id.
 */
import type { CoordinatorError } from "../protocol/errors.ts";
import { formatPrincipal, isOfRole } from "../protocol/subjects.ts";
import { Counts } from "./counts.ts";
import type { ServiceContext, TaskStore } from "./ports.ts";
import type { LimitRules } from "./principal-rules.ts";
import { limitReached } from "./refusals.ts";
import type { ServiceSettings } from "./service-settings.ts";
import { nameIn } from "./session-name.ts";
import type { TaskIndex } from "./task-index.ts";

/** Who wants to claim. `sender`: as `Call.sender`. */
export interface Claimant {
  readonly sessionId: string;
  readonly sender: string;
}

export class ClaimLimits {
  readonly #store: TaskStore;
  readonly #tasks: TaskIndex;
  readonly #rules: LimitRules;
  readonly #settings: ServiceSettings;
  /** The claims of all sessions whose ids begin with the same name. */
  readonly #held = new Counts();
  /** The claims under way. */
  readonly #ofSession = new Counts();
  readonly #ofSender = new Counts();
  readonly #listeners: ((claimant: Claimant) => void)[] = [];

  constructor(
    store: TaskStore,
    tasks: TaskIndex,
    rules: LimitRules,
    { settings }: Pick<ServiceContext, "settings">,
  ) {
    this.#store = store;
    this.#tasks = tasks;
    this.#rules = rules;
    this.#settings = settings;
    tasks.onChange(({ before, after }) => {
      const old = before?.claimedBy ?? null;
      const now = after?.claimedBy ?? null;
      if (old === now) return;
      if (now !== null) this.#count(now, 1);
      if (old !== null) this.#count(old, -1);
    });
  }

  /** How many more tasks it may claim. */
  room(claimant: Claimant): number {
    return Math.max(0, this.#balance(claimant));
  }

  /** Makes a claim. While it is under way, it takes up room. */
  async during<T>(claimant: Claimant, claim: () => Promise<T>): Promise<T> {
    this.#begin(claimant, 1);
    try {
      return await claim();
    } finally {
      const before = this.#balance(claimant);
      this.#begin(claimant, -1);
      // The claim was not made, and another request can have its room.
      if (before <= 0 && this.room(claimant) > 0) this.#hasRoom(claimant);
    }
  }

  /**
   * Before the refusal, this is confirmed against the store: another worker may have ended a claim.
   * `taskId`: the task that it wants. If it holds that already, it needs no room.
   *
   * @throws CoordinatorError `limit_reached`
   */
  async requireRoom(claimant: Claimant, taskId?: string): Promise<void> {
    if (this.room(claimant) > 0) return;
    const task = taskId === undefined ? undefined : this.#tasks.get(taskId);
    if (task?.claimedBy === claimant.sessionId) return;
    await this.#tasks.position.catchUp(this.#store);
    if (this.room(claimant) === 0) throw this.#refusal(claimant);
  }

  /**
   * The lease of a claim, in seconds; `undefined`: the default.
   *
   * @throws CoordinatorError `limit_reached` if it asks for more than it may have
   */
  leaseSeconds(asked: number | undefined, sender: string): number | undefined {
    const most = this.#rules.limitsOf(sender)?.lease_seconds ?? this.#settings.maxLeaseSeconds;
    if (asked === undefined) return this.#settings.defaultTtlSeconds > most ? most : undefined;
    if (asked <= most) return asked;
    const problem = `ttl_seconds of ${asked} is longer than a lease may be: ask for less, and renew the claim`;
    throw limitReached("limits.lease_seconds", most, problem);
  }

  /** Calls the listener when a session or an agent that could claim nothing more has room again. */
  onRoom(listener: (claimant: Claimant) => void): void {
    this.#listeners.push(listener);
  }

  #count(sessionId: string, by: 1 | -1): void {
    const name = nameIn(sessionId);
    const held = this.#held.add(name, by);
    if (by === 1) return;
    const sender = formatPrincipal({ role: "agent", name });
    const ofSession = this.#tasks.claims.get(sessionId).size;
    const hadNone =
      ofSession === this.#settings.maxClaimsPerSession - 1 || held === this.#mostOf(sender) - 1;
    if (hadNone) this.#hasRoom({ sessionId, sender });
  }

  #hasRoom(claimant: Claimant): void {
    for (const listener of this.#listeners) listener(claimant);
  }

  /** The room, or by how much a limit is exceeded. */
  #balance({ sessionId, sender }: Claimant): number {
    const held = this.#tasks.claims.get(sessionId).size + this.#ofSession.of(sessionId);
    const ofSession = this.#settings.maxClaimsPerSession - held;
    if (!isOfRole(sender, "agent")) return ofSession;
    const ofAgent = this.#mostOf(sender) - this.#heldBy(sender) - this.#ofSender.of(sender);
    return Math.min(ofSession, ofAgent);
  }

  #begin({ sessionId, sender }: Claimant, by: 1 | -1): void {
    this.#ofSession.add(sessionId, by);
    this.#ofSender.add(sender, by);
  }

  /** `sender`: that of an agent. */
  #heldBy(sender: string): number {
    return this.#held.of(sender.slice(sender.indexOf(".") + 1));
  }

  #mostOf(sender: string): number {
    return this.#rules.limitsOf(sender)?.claims ?? this.#settings.maxClaimsPerPrincipal;
  }

  #refusal({ sessionId, sender }: Claimant): CoordinatorError {
    const { maxClaimsPerSession } = this.#settings;
    const ofSession = this.#tasks.claims.get(sessionId).size;
    if (ofSession >= maxClaimsPerSession) {
      const problem = `${sessionId} holds ${ofSession} tasks: complete or release some of them first`;
      return limitReached("limits.claims_per_session", maxClaimsPerSession, problem);
    }
    const most = this.#mostOf(sender);
    const problem = `${sender} holds ${this.#heldBy(sender)} tasks: complete or release some of them first`;
    return limitReached("limits.claims_per_principal", most, problem);
  }
}
