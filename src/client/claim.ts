/**
 * One claim of a session, from the moment it was made to its end. A claim is over, once, in one of two
 * ways:
 *
 * - it has _ended_: the holder has completed it, failed it or given the task back;
 * - it is _lost_: its lease no longer holds. Another session may have the task, and the coordinator
 *   refuses what this holder asks for.
 *
 * Once it is over, `complete` and `fail` are refused, because their content is not stored. `release` does
 * nothing then, because the session no longer holds the task.
 *
 * If the coordinator refuses an end for its content, such as a result that is too large, the task is
 * still held.
 *
 * `signal` is aborted when the holder should stop working: the lease is lost, the task was cancelled, or
 * the session stops. In the last two cases the session still holds the task and ends the claim itself.
 */
import type { TaskRecord } from "../protocol/task-record.ts";
import { checkOptions } from "./check-options.ts";
import { type Claimed, type ClaimEnd, type ClaimOwner, ClaimRequests } from "./claim-requests.ts";
import { type ClaimWatch, watchClaim } from "./claim-watch.ts";
import { toJsonText } from "./json-text.ts";
import { ProgressReports } from "./progress-reports.ts";
import {
  END_OPTIONS,
  type EndOptions,
  FAIL_OPTIONS,
  type FailOptions,
  RELEASE_CLAIM_OPTIONS,
  releaseFields,
  type ReleaseOptions,
} from "./release-options.ts";
import { isOfContent, neverStored, toStoredError } from "./stored-errors.ts";
import { hasCode, TaskError } from "./task-error.ts";

/**
 * A task that this session holds. Its lease is renewed until the claim is over. At the end of its scope,
 * a claim that is not over gives the task back.
 *
 * @example
 * for await (const claim of coordinator.claims({})) {
 *   await claim.complete({ pages: 3 });
 * }
 */
export class Claim implements AsyncDisposable {
  /** The task as it was claimed. */
  readonly task: TaskRecord;
  /** The number of the claim, for people and logs. */
  readonly attempt: number;
  /** For the system that receives results: it must refuse a token lower than one that it has seen. */
  readonly fencingToken: number;
  readonly #owner: ClaimOwner;
  readonly #requests: ClaimRequests;
  readonly #controller = new AbortController();
  readonly #progress: ProgressReports;
  readonly #watch: ClaimWatch;
  /** Aborted when the claim is over: nothing more is sent for it. */
  readonly #over = new AbortController();
  /** The request for its end. Updates of the task that arrive meanwhile may be the effect of it. */
  #ending: Promise<void> | null = null;
  #lostMeanwhile: string | null = null;
  /** How it ended, for the refusal of another end. */
  #endedAs = "has ended";

  /** @internal */
  constructor(claimed: Claimed, owner: ClaimOwner) {
    const { task, attempt, fencing_token: fencingToken } = claimed;
    this.task = task;
    this.attempt = attempt;
    this.fencingToken = fencingToken;
    this.#owner = owner;
    this.#requests = new ClaimRequests(owner, claimed);
    this.#progress = new ProgressReports((progress) => this.#report(progress));
    this.#watch = watchClaim(owner.connection, task.task_id, attempt, {
      lost: (why) => {
        this.lose(why);
      },
      cancelled: () => {
        this.stop(CANCELLED);
      },
      replaced: (error) => {
        owner.replaced(error);
      },
    });
  }

  /**
   * Aborted when the holder should stop. The reason is a `TaskError`: `lease_lost`, or `not_available` if
   * the task was cancelled or the session stops.
   */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether it has ended, or is lost. */
  get isOver(): boolean {
    return this.#over.signal.aborted;
  }

  /**
   * Ends the claim: the task is complete.
   *
   * @throws TaskError `lease_lost`; `too_large` or `invalid_request` for a result that can never be
   *   stored. Then the task is still held: `fail` it with `retry: false`
   * @example await claim.complete({ pages: 3 });
   * @example
   * for await (const claim of coordinator.claims({})) {
   *   await claim.complete(claim.task.title.length, { next: true });
   * }
   */
  async complete(result?: unknown, options: EndOptions = {}): Promise<void> {
    checkOptions(options, END_OPTIONS);
    const given = result ?? null;
    await this.#endWith("result", given, { status: "complete", result: given }, options);
  }

  /**
   * Ends the claim: the attempt failed. The task is tried again after a pause, as often as its
   * `max_failures` allows. With `retry: false` it fails for good. Of an `Error`, the name and the first
   * 8192 characters of the message are kept.
   *
   * @throws TaskError `lease_lost`; `too_large` or `invalid_request` for the error: the task is still held
   * @example await claim.fail(new Error("there is no such page"), { retry: false });
   */
  async fail(error: unknown, options: FailOptions = {}): Promise<void> {
    checkOptions(options, FAIL_OPTIONS);
    const given = toStoredError(error);
    const { retry = true } = options;
    await this.#endWith("error", given, { status: "failed", error: given, retry }, options);
  }

  /**
   * Gives the task back to the pool, without a failure. It does nothing if the claim is over, and waits
   * for an end that is under way. So it is safe to call in `finally`.
   *
   * The task can be claimed again at once, perhaps by this session. Name a delay if that is of no use.
   *
   * @throws TaskError if the coordinator does not answer: then the task is available again when its lease
   *   expires. `invalid_request` for the options: the task is still held
   * @example await claim.release({ delaySeconds: 3600, cause: "the quota is exhausted" });
   * @example
   * for await (const claim of coordinator.claims({})) {
   *   try {
   *     if (claim.task.title !== "") await claim.complete();
   *   } finally {
   *     await claim.release();
   *   }
   * }
   */
  async release(options: ReleaseOptions & EndOptions = {}): Promise<void> {
    checkOptions(options, RELEASE_CLAIM_OPTIONS);
    const fields = releaseFields(options);
    while (this.#ending !== null) await this.ending();
    if (this.isOver) return;
    try {
      await this.#end({ status: "available", ...fields }, options);
    } catch (error) {
      if (!hasCode(error, ...NOT_HELD)) throw error;
    }
  }

  /**
   * Reports how far the work is. `tasks.get` shows the report in the lease. Of several reports within a
   * second, the last is sent.
   * @example claim.progress({ pages: 2, of: 3 });
   */
  progress(value: unknown): void {
    if (!this.isOver && this.#ending === null) this.#progress.report(value);
  }

  /** @internal The lease is lost. */
  lose(why: string): void {
    if (this.isOver) return;
    if (this.#ending !== null) {
      this.#lostMeanwhile = why;
      return;
    }
    this.#endedAs = "is lost";
    this.#setOver(true);
    const { task_id: id } = this.task;
    const message = `the claim of ${id} (attempt ${this.attempt}) is lost: ${why}`;
    // If the holder was asked to stop before, a second warning says nothing new.
    this.#owner.logger[this.signal.aborted ? "debug" : "warn"](message);
    this.#controller.abort(new TaskError("lease_lost", message));
  }

  /** @internal Resolves when a change of the task is sure to be noticed at once. Never rejects. */
  untilWatched(): Promise<void> {
    return this.#watch.untilKnown();
  }

  /** @internal Resolves when an end that was asked for has been answered, one way or the other. */
  async ending(): Promise<void> {
    await this.#ending?.catch(() => undefined);
  }

  /** @internal Asks the holder to stop. */
  stop(why: string): void {
    const message = `the work on ${this.task.task_id} should stop: ${why}`;
    this.#controller.abort(new TaskError("not_available", message));
  }

  /**
   * `release`, at the end of the scope.
   *
   * @example
   * for await (const claim of coordinator.claims({})) {
   *   await using held = claim;
   *   if (held.task.title !== "") await held.complete();
   * }
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  async #endWith(
    what: "result" | "error",
    content: unknown,
    end: ClaimEnd,
    options: EndOptions,
  ): Promise<void> {
    try {
      toJsonText(what, content);
      await this.#end(end, options);
    } catch (error) {
      if (!isOfContent(error)) throw error;
      throw neverStored(what, this.task.task_id, error);
    }
  }

  async #end(end: ClaimEnd, options: EndOptions): Promise<void> {
    if (this.isOver || this.#ending !== null) {
      const state = this.isOver ? this.#endedAs : "is about to end";
      const { task_id: id } = this.task;
      const message = `the claim of ${id} (attempt ${this.attempt}) ${state}: it ends once`;
      throw new TaskError("lease_lost", message);
    }
    this.#ending = this.#askToEnd(end, options);
    try {
      await this.#ending;
    } finally {
      this.#ending = null;
      if (this.#lostMeanwhile !== null) this.lose(this.#lostMeanwhile);
    }
  }

  async #askToEnd(end: ClaimEnd, { next = false }: EndOptions): Promise<void> {
    try {
      const wanted = next ? this.#owner.nextWanted() : undefined;
      const claims = await this.#requests.end(end, wanted);
      this.#endedAs = `has ended as ${end.status}`;
      // In this order: the session may have got the same task again.
      this.#setOver(true);
      this.#owner.came(claims);
    } catch (error) {
      if (!isOfContent(error)) this.#setOver(hasCode(error, ...NOT_HELD));
      if (hasCode(error, "session_replaced")) this.#owner.replaced(error);
      throw error;
    }
  }

  #setOver(isAcknowledged: boolean): void {
    if (this.isOver) return;
    this.#over.abort();
    this.#progress.stop();
    this.#watch.stop();
    this.#owner.ended(isAcknowledged);
  }

  async #report(progress: unknown): Promise<void> {
    try {
      await this.#requests.report(progress, this.#over.signal);
    } catch (error) {
      if (this.isOver) return;
      // The next heartbeat finds out whether the claim is lost.
      const { task_id: id } = this.task;
      this.#owner.logger.warn(`the progress of ${id} was not reported: ${String(error)}`);
    }
  }
}

export const CANCELLED = "the task was cancelled";

/** Each of these says that the session does not hold the task. */
const NOT_HELD = ["lease_lost", "session_replaced", "not_holder", "not_found"] as const;
