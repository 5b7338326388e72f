/**
 * The claims whose leases a session keeps: those that it _holds_, and those that it has _abandoned_
 * although the coordinator may not know. This file decides what the answer to a heartbeat means for them;
 * `session-leases.ts` sends the heartbeats.
 */
import type { Reply } from "../protocol/operations.ts";
import type { KeptClaim } from "./lease-renewal.ts";

type HeartbeatReply = Reply<"sessions.heartbeat">;

interface Held extends KeptClaim {
  /** When the lease may have expired, by `performance.now()`. */
  readonly validUntil: number;
}

interface Abandoned extends Pick<KeptClaim, "attempt" | "ttlSeconds"> {
  readonly since: number;
}

export interface NamedClaim {
  readonly task_id: string;
  readonly attempt: number;
}

/** What the answer to a heartbeat says of the claims that it named. */
export interface HeartbeatOutcome {
  readonly lost: readonly NamedClaim[];
  readonly cancelled: readonly NamedClaim[];
  /** The coordinator holds these for the session, but nobody works on them. */
  readonly stray: readonly NamedClaim[];
}

/** All times are by `performance.now()`. */
export class KeptClaims {
  readonly #held = new Map<string, Held>();
  /** Until the coordinator says that it does not hold them. */
  readonly #abandoned = new Map<string, Abandoned>();

  get holdsAny(): boolean {
    return this.#held.size > 0;
  }

  hold(claim: KeptClaim, now: number): void {
    this.#held.set(claim.taskId, { ...claim, validUntil: now + claim.ttlSeconds * 1000 });
  }

  drop(taskId: string, attempt: number): void {
    if (this.#holds(taskId, attempt)) this.#held.delete(taskId);
  }

  abandon(taskId: string, attempt: number, now: number): void {
    const ttlSeconds = this.#held.get(taskId)?.ttlSeconds ?? Infinity;
    this.#abandoned.set(taskId, { attempt, ttlSeconds, since: now });
    this.drop(taskId, attempt);
  }

  /** Infinity without any claim. */
  shortestTtlMs(): number {
    const claims = [...this.#held.values(), ...this.#abandoned.values()];
    return Math.min(...claims.map(({ ttlSeconds }) => ttlSeconds * 1000));
  }

  /** When the first lease may have expired; Infinity without any. */
  firstExpiry(): number {
    let first = Infinity;
    for (const { validUntil } of this.#held.values()) first = Math.min(first, validUntil);
    return first;
  }

  /** Those that are held, but whose lease may have expired. */
  expired(now: number): readonly KeptClaim[] {
    return [...this.#held.values()].filter(({ validUntil }) => validUntil <= now);
  }

  /** The claims that heartbeats name. */
  named(): NamedClaim[] {
    const named = new Map<string, { attempt: number }>([...this.#abandoned, ...this.#held]);
    return [...named].map(([task_id, { attempt }]) => ({ task_id, attempt }));
  }

  /**
   * Applies the answer to a heartbeat that named these claims.
   *
   * @param isDraining if true, every claim that is not held here is stray. Otherwise an unknown claim may
   *   be about to be handed out, and only abandoned ones are stray
   */
  renewed(
    named: readonly NamedClaim[],
    { claims, unnamed, lost, cancelled }: HeartbeatReply,
    sentAt: number,
    isDraining: boolean,
  ): HeartbeatOutcome {
    this.#extend(claims, sentAt);
    const namedAs = new Map(named.map((claim) => [claim.task_id, claim]));
    const find = (ids: readonly string[]): NamedClaim[] =>
      ids.map((id) => namedAs.get(id)).filter((claim) => claim !== undefined);
    const outcome = {
      cancelled: find(cancelled),
      lost: find(lost).filter(({ task_id: id, attempt }) => this.#holds(id, attempt)),
    };
    for (const { task_id: id } of outcome.lost) this.#held.delete(id);
    const isStray = ({ task_id: id, attempt }: NamedClaim): boolean =>
      isDraining ? !this.#holds(id, attempt) : this.#abandoned.get(id)?.attempt === attempt;
    const stray = [...claims, ...unnamed].filter(isStray);
    this.#forgetAbandoned(named, claims, sentAt);
    return { ...outcome, stray };
  }

  #extend(claims: HeartbeatReply["claims"], sentAt: number): void {
    for (const { task_id: taskId, attempt, lease } of claims) {
      const held = this.#held.get(taskId);
      if (held?.attempt !== attempt) continue;
      const validUntil = Math.max(held.validUntil, sentAt + lease.ttl_seconds * 1000);
      this.#held.set(taskId, { ...held, validUntil });
    }
  }

  #forgetAbandoned(
    named: readonly NamedClaim[],
    renewed: readonly NamedClaim[],
    sentAt: number,
  ): void {
    const kept = new Set(renewed.map(({ task_id: taskId }) => taskId));
    for (const { task_id: taskId } of named) {
      const { since = Infinity } = this.#abandoned.get(taskId) ?? {};
      if (sentAt >= since && !kept.has(taskId)) this.#abandoned.delete(taskId);
    }
  }

  #holds(taskId: string, attempt: number): boolean {
    return this.#held.get(taskId)?.attempt === attempt;
  }
}
