/** Claim, renew, release and verify: the requests of a task's holder. */
import { CoordinatorError, hasCode } from "../protocol/errors.ts";
import type { Request } from "../protocol/operations.ts";
import { iso, millisOrNull } from "../protocol/instants.ts";
import { holderRefusal, isClaimOf } from "../task/holder.ts";
import type { Task } from "../task/task.ts";
import type { Asked, Claimed, Holder, WantedClaim } from "./claimed.ts";
import { connectionOf, isSameConnection } from "./connection-key.ts";
import type { LeaseWrites } from "./lease-writes.ts";
import type { Leases } from "./leases.ts";
import type { AnswerTo, Clock, ConnectionId, ServiceContext } from "./ports.ts";
import type { ServiceSettings } from "./service-settings.ts";
import { requireSmallProgress } from "./progress-reports.ts";
import { refusalError } from "./refusals.ts";
import type { Sessions } from "./sessions.ts";
import type { KnownTask } from "./task-index.ts";
import { recordOf, type SentTask } from "./sent-task.ts";
import type { TaskWriter } from "./task-writer.ts";

export class Claims {
  readonly #writer: TaskWriter;
  readonly #leases: Leases;
  readonly #writes: LeaseWrites;
  readonly #sessions: Sessions;
  readonly #settings: ServiceSettings;
  readonly #clock: Clock;

  constructor(
    writer: TaskWriter,
    { leases, writes }: { readonly leases: Leases; readonly writes: LeaseWrites },
    sessions: Sessions,
    { settings, clock }: ServiceContext,
  ) {
    this.#writer = writer;
    this.#leases = leases;
    this.#writes = writes;
    this.#sessions = sessions;
    this.#settings = settings;
    this.#clock = clock;
  }

  async claim(
    taskId: string,
    request: Request<"tasks.claim">,
    { ttlSeconds, principal }: Pick<WantedClaim, "ttlSeconds" | "principal">,
  ): Promise<AnswerTo<"tasks.claim">> {
    const { session_id: sessionId, instance = null } = request;
    const connection = connectionOf(request.release_on_disconnect);
    const take = (): Promise<Claimed> =>
      this.#sessions.withCapabilities(request, (capabilities) =>
        this.take(taskId, {
          sessionId,
          instance,
          ttlSeconds,
          capabilities,
          claimRequest: null,
          connection,
          principal,
        }),
      );
    try {
      return { body: { ok: true, ...(await take()) } };
    } catch (error) {
      if (instance === null || !hasCode(error, "already_claimed")) throw error;
      if (!(await this.#takeBackOwn(taskId, sessionId, instance))) throw error;
      return { body: { ok: true, ...(await take()) } };
    }
  }

  /**
   * Claims the task. Its lease follows. `once`: gives up on the first conflict. `connection`: the
   * claim ends when this connection is lost.
   */
  async take(taskId: string, claim: WantedClaim): Promise<Claimed> {
    const executed = await this.#writer.execute(
      taskId,
      {
        type: "claim",
        sessionId: claim.sessionId,
        ttlSeconds: claim.ttlSeconds ?? this.#settings.defaultTtlSeconds,
        capabilities: claim.capabilities,
        claimRequest: claim.claimRequest,
        instance: claim.instance,
        principal: claim.principal,
      },
      { once: claim.once ?? false },
    );
    if (executed.written) this.#leases.claimed(executed.task, claim.connection);
    else await this.#moveTo(claim, executed.task);
    return this.describe(executed, !executed.written);
  }

  /**
   * Takes the task from an earlier process of the session, which this one has replaced. `false` if no
   * such process holds it. Usually the registration of the session has already done this.
   */
  async #takeBackOwn(taskId: string, sessionId: string, instance: string): Promise<boolean> {
    const { task } = await this.#writer.load(taskId);
    const isOwn = task.claimedBy === sessionId && !isClaimOf(task, sessionId, instance);
    if (!isOwn || (await this.#sessions.freshInstanceOf(sessionId)) !== instance) return false;
    await this.takeBack(taskId, task.attempt);
    return true;
  }

  /** Ends a claim whose session was replaced; `false` if the claim has ended in another way. */
  async takeBack(taskId: string, attempt: number): Promise<boolean> {
    const command = { type: "replace_session", attempt } as const;
    return (await this.#writer.execute(taskId, command)).written;
  }

  /**
   * The claim, if the leader's record says that the session still holds it under this attempt. If there
   * is a `connection`, the claim from now on ends when that connection is lost.
   */
  async ifHeld(taskId: string, holder: Holder, asked: Asked): Promise<Claimed | null> {
    const known = await this.#ifStillHeld(taskId, holder);
    if (known === null) return null;
    await this.#moveTo(asked, known.task);
    return this.describe(known, true);
  }

  /** The same, but only if the session has not acknowledged the claim. This call acknowledges it. */
  async ifUnconfirmed(
    taskId: string,
    holder: Holder,
    connection: ConnectionId | null,
  ): Promise<Claimed | null> {
    if (this.#leases.isConfirmed(taskId)) return null;
    const known = await this.#ifStillHeld(taskId, holder);
    if (known === null) return null;
    try {
      if (!(await this.#writes.confirm(known.task, connection ?? undefined))) return null;
      return this.describe(known, true);
    } catch (error) {
      // The lease has ended or is in doubt, so it is not certain that the session holds the claim.
      if (error instanceof CoordinatorError) return null;
      throw error;
    }
  }

  /**
   * Moves the claim to another connection: a session that asks again for what it holds may have lost
   * its old one. If the claim has ended meanwhile, the next renewal says so.
   */
  async #moveTo({ connection, principal }: Asked, task: Task): Promise<void> {
    if (connection === null || task.status !== "claimed") return;
    const { lease } = this.#leases.describe(task);
    if (isSameConnection(lease.connection, connection)) return;
    try {
      await this.#writes.renew(task, lease.ttlSeconds, { connection, principal });
    } catch (error) {
      if (!hasCode(error, "lease_lost", "not_holder")) throw error;
    }
  }

  async #ifStillHeld(taskId: string, holder: Holder): Promise<KnownTask | null> {
    try {
      const known = await this.#writer.load(taskId);
      const isHeld = isClaimOf(known.task, holder.sessionId, holder.instance);
      return isHeld && known.task.attempt === holder.attempt ? known : null;
    } catch (error) {
      if (!(error instanceof CoordinatorError) || error.code === "unavailable") throw error;
      return null;
    }
  }

  /** A claim as replies show it. */
  describe(sent: SentTask, alreadyHeld: boolean): Claimed {
    const { task, revision } = sent;
    const { lease, expiresAt } = this.#leases.describe(task);
    return {
      task: recordOf(sent),
      attempt: task.attempt,
      fencing_token: task.fencingToken,
      revision,
      lease: { ttl_seconds: lease.ttlSeconds, expires_at: iso(expiresAt) },
      already_held: alreadyHeld,
    };
  }

  /** Compares the holder with the leader's record, then renews the lease by compare-and-set. */
  async renew(
    taskId: string,
    request: Request<"tasks.renew">,
    principal: string | null,
  ): Promise<AnswerTo<"tasks.renew">> {
    requireSmallProgress(request.progress);
    const { task } = await this.#writer.load(taskId);
    const { session_id: sessionId, attempt: named = null, instance = null } = request;
    const refused = holderRefusal(task, sessionId, named, instance);
    if (refused !== null) throw refusalError(task, refused.refusal);
    const ttlSeconds = request.ttl_seconds ?? this.#leases.describe(task).lease.ttlSeconds;
    const { attempt, cancelRequested } = await this.#writes.renew(task, ttlSeconds, {
      reported: request.progress,
      connection: connectionOf(request.release_on_disconnect) ?? undefined,
      principal,
    });
    const expiresAt = iso(this.#clock.now() + ttlSeconds * 1000);
    return {
      body: {
        ok: true,
        attempt,
        lease: { ttl_seconds: ttlSeconds, expires_at: expiresAt },
        cancel_requested: cancelRequested,
      },
    };
  }

  async release(
    taskId: string,
    request: Request<"tasks.release">,
    principal: string | null,
  ): Promise<AnswerTo<"tasks.release">> {
    const hasContent = (request.result ?? request.error ?? null) !== null;
    const reportedBy = { sessionId: request.session_id, principal };
    const released = await this.#writer.execute(
      taskId,
      {
        type: "release",
        sessionId: request.session_id,
        attempt: request.attempt ?? null,
        instance: request.instance ?? null,
        outcome: request.status,
        result: request.result ?? null,
        error: request.error ?? null,
        retry: request.retry,
        notBefore: this.#resumption(request),
        reason: request.cause ?? null,
        principal,
      },
      // A record that has reached its size limit without a result must not prevent the end of the claim.
      hasContent ? { limitSize: true, reportedBy } : {},
    );
    return { body: { ok: true, task: recordOf(released), revision: released.revision } };
  }

  /** When a task that is given back can be claimed again, epoch milliseconds; `null`: at once. */
  #resumption({ delay_seconds, resume_at }: Request<"tasks.release">): number | null {
    if (delay_seconds === undefined) return millisOrNull(resume_at);
    return delay_seconds === 0 ? null : this.#clock.now() + Math.ceil(delay_seconds * 1000);
  }

  /** Returns a claim to the pool. It does not count as a failure. */
  async giveBack(
    taskId: string,
    holder: Omit<Holder, "attempt"> & {
      readonly attempt: number | null;
      readonly principal?: string | null;
    },
  ): Promise<void> {
    await this.#writer.execute(taskId, {
      type: "release",
      ...holder,
      outcome: "available",
      result: null,
      error: null,
      retry: true,
    });
  }

  async verify(
    taskId: string,
    request: Request<"tasks.verify">,
  ): Promise<AnswerTo<"tasks.verify">> {
    const { task } = await this.#writer.load(taskId);
    const { session_id: sessionId = task.claimedBy, attempt = task.attempt } = request;
    const { fencing_token: fencingToken = task.fencingToken } = request;
    const isMeant =
      sessionId === task.claimedBy &&
      attempt === task.attempt &&
      fencingToken === task.fencingToken;
    return {
      body: {
        ok: true,
        holds: task.status === "claimed" && isMeant,
        holder: task.claimedBy,
        attempt: task.attempt,
        fencing_token: task.fencingToken,
      },
    };
  }
}
