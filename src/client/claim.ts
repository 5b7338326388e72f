/**
 * One claim of a session, from the moment it was made to its end. It ends in one of these ways, once:
 *
 * - the holder completes it, lets it fail, or gives it back;
 * - its lease is lost: somebody else may have the task, and what the holder asks for is refused.
 *
 * After its end `complete` and `fail` are refused, because what they say is not stored. `release` asks
 * for nothing but that the session no longer holds the task, so it does nothing then.
 *
 * An end that the coordinator refuses for its content, such as a result that is too large, is none: the
 * task is still held.
 *
 * `signal` is aborted when the holder should stop working: the lease is lost, the task was cancelled, or
 * the holder itself is asked to stop. After a cancellation or when it is asked to stop, it still holds
 * the task and ends the claim itself.
 */
import { subscribeToUpdates } from "../nats/task-updates.ts";
import type { RequestInput } from "../protocol/operations.ts";
import type { TaskRecord } from "../protocol/task-record.ts";
import { SESSION_REPLACED } from "../task/task.ts";
import { checkOptions } from "./check-options.ts";
import type { Claimed, ClaimOwner } from "./claim-owner.ts";
import { toJsonText } from "./json-text.ts";
import { ProgressReports } from "./progress-reports.ts";
import { RELEASE_OPTIONS, releaseFields, type ReleaseOptions } from "./release-options.ts";
import { isOfContent, neverStored, toStoredError } from "./stored-errors.ts";
import { TaskError } from "./task-error.ts";
import { LiveChange } from "./task-update.ts";

type End = Omit<RequestInput<"tasks.release">, "session_id" | "instance" | "attempt">;

/** After the end of a lease, for the answer to what was sent before it. */
const GRACE_MS = 15_000;

/**
 * A task that this session holds. Its lease is renewed until it ends; disposing of one that has not
 * ended gives the task back.
 *
 * @example
 * for await (const claim of coordinator.claims({})) {
 *   await claim.complete({ pages: 3 });
 * }
 */
export class Claim implements AsyncDisposable {
  /** As it was claimed. */
  readonly task: TaskRecord;
  /** The number of the claim, for people and logs. */
  readonly attempt: number;
  /** Give it to whatever receives results, which refuses a token lower than one it has seen. */
  readonly fencingToken: number;
  readonly #ttlSeconds: number;
  readonly #owner: ClaimOwner;
  readonly #controller = new AbortController();
  readonly #progress: ProgressReports;
  readonly #stopWatching: () => void;
  /** Aborted when it is over: nothing more is sent for it. */
  readonly #over = new AbortController();
  /** Its end has been asked for; what is heard of the task meanwhile may be just that. */
  #ending: Promise<void> | null = null;
  #lostMeanwhile: string | null = null;
  /** How it ended, for the refusal of another end. */
  #endedAs = "has ended";

  /** @internal */
  constructor(claimed: Claimed, owner: ClaimOwner) {
    const { task, attempt, fencing_token: fencingToken, lease } = claimed;
    this.task = task;
    this.attempt = attempt;
    this.fencingToken = fencingToken;
    this.#ttlSeconds = lease.ttl_seconds;
    this.#owner = owner;
    this.#progress = new ProgressReports((progress) => this.#report(progress));
    this.#stopWatching = this.#watch();
  }

  /**
   * Aborted when the holder should stop; the reason is a `TaskError`: `lease_lost`, or `not_available`
   * for a task that was cancelled or a holder that was stopped.
   */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether it has ended, or was lost. */
  get isOver(): boolean {
    return this.#over.signal.aborted;
  }

  /**
   * The task is done.
   *
   * @throws TaskError `lease_lost`; `too_large` or `invalid_request` for a result that can never be
   *   stored: the task is still held, so `fail` it with `retry: false` instead of doing it again
   * @example await claim.complete({ pages: 3 });
   */
  async complete(result?: unknown): Promise<void> {
    const given = result ?? null;
    await this.#endWith("result", given, { status: "complete", result: given });
  }

  /**
   * The attempt failed. The task is tried again, after a pause, as often as its `max_failures` allows;
   * with `retry: false` it is failed for good. Of an `Error`, name and message are kept, up to 8192
   * characters.
   *
   * @throws TaskError `lease_lost`; `too_large` or `invalid_request` for the error: it is still held
   * @example await claim.fail(new Error("there is no such page"), { retry: false });
   */
  async fail(error: unknown, options: { readonly retry?: boolean } = {}): Promise<void> {
    const given = toStoredError(error);
    const { retry = true } = options;
    await this.#endWith("error", given, { status: "failed", error: given, retry });
  }

  /**
   * Gives the task back to the pool, which is no failure. Does nothing for a claim that has ended or is
   * lost, and waits for an end that is under way: safe to call in `finally`.
   *
   * The next claim can come at once, perhaps from this session again: name a delay where that is of no
   * use.
   *
   * @throws TaskError if the coordinator cannot be told; the task is back when its lease runs out.
   *   `invalid_request` for the options: it is still held
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
  async release(options: ReleaseOptions = {}): Promise<void> {
    checkOptions(options, RELEASE_OPTIONS);
    const fields = releaseFields(options);
    while (this.#ending !== null) await this.ending();
    if (this.isOver) return;
    try {
      await this.#end({ status: "available", ...fields });
    } catch (error) {
      if (!(error instanceof TaskError) || !ENDED_OTHERWISE.has(error.code)) throw error;
    }
  }

  /**
   * Tells how far the work is: `tasks.get` shows it in the lease. Of several reports within a second the
   * last is sent.
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
    this.#finish(true);
    const { task_id: id } = this.task;
    const message = `the claim of ${id} (attempt ${this.attempt}) is lost: ${why}`;
    // Whoever was told to stop need not be told twice.
    this.#owner.logger[this.signal.aborted ? "debug" : "warn"](message);
    this.#controller.abort(new TaskError("lease_lost", message));
  }

  /** @internal Resolves when an end that was asked for has been answered, one way or the other. */
  async ending(): Promise<void> {
    await this.#ending?.catch(() => undefined);
  }

  /** @internal The work should stop. */
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

  async #endWith(what: "result" | "error", content: unknown, end: End): Promise<void> {
    try {
      toJsonText(what, content);
      await this.#end(end);
    } catch (error) {
      if (!isOfContent(error)) throw error;
      throw neverStored(what, this.task.task_id, error);
    }
  }

  async #end(end: End): Promise<void> {
    if (this.isOver || this.#ending !== null) {
      const state = this.isOver ? this.#endedAs : "is just being ended";
      const { task_id: id } = this.task;
      const message = `the claim of ${id} (attempt ${this.attempt}) ${state}: it ends once`;
      throw new TaskError("lease_lost", message);
    }
    this.#ending = this.#askToEnd(end);
    try {
      await this.#ending;
    } finally {
      this.#ending = null;
      if (this.#lostMeanwhile !== null) this.lose(this.#lostMeanwhile);
    }
  }

  async #askToEnd(end: End): Promise<void> {
    const options = { deadlineMs: this.#ttlSeconds * 1000 + GRACE_MS };
    try {
      await this.#owner.tasks.release(this.task.task_id, { ...this.#holder(), ...end }, options);
      this.#endedAs = `has ended as ${end.status}`;
      this.#finish(true);
    } catch (error) {
      const code = error instanceof TaskError ? error.code : "unknown";
      if (!isOfContent(error)) this.#finish(ENDED_OTHERWISE.has(code));
      if (error instanceof TaskError && code === "session_replaced") this.#owner.replaced(error);
      throw error;
    }
  }

  #holder(): { session_id: string; instance: string; attempt: number } {
    const { sessionId: session_id, instance } = this.#owner;
    return { session_id, instance, attempt: this.attempt };
  }

  #finish(isAcknowledged: boolean): void {
    if (this.isOver) return;
    this.#over.abort();
    this.#progress.stop();
    this.#stopWatching();
    this.#owner.ended(this, isAcknowledged);
  }

  async #report(progress: unknown): Promise<void> {
    const { tasks, logger } = this.#owner;
    const { task_id: id } = this.task;
    const { signal } = this.#over;
    try {
      await tasks.renew(id, { ...this.#holder(), progress }, { signal });
    } catch (error) {
      if (this.isOver) return;
      // The heartbeat finds out whether the claim is lost.
      logger.warn(`the progress of ${id} was not reported: ${String(error)}`);
    }
  }

  /** Hears of a loss or a cancellation in the moment, if the message arrives; heartbeats make sure. */
  #watch(): () => void {
    const { connection } = this.#owner;
    const watch = subscribeToUpdates(
      connection,
      (message) => {
        const { task } = new LiveChange(message);
        if (task === null || task.attempt < this.attempt) return;
        if (task.status !== "claimed" || task.attempt > this.attempt) {
          const why = task.last_event?.reason ?? `the task is ${task.status}`;
          if (task.attempt === this.attempt && why === SESSION_REPLACED) {
            this.#owner.replaced(new TaskError("session_replaced", REPLACED));
          }
          this.lose(why);
        } else if (task.cancel_requested === true) this.stop(CANCELLED);
      },
      this.task.task_id,
    );
    return () => {
      watch.stop();
    };
  }
}

const REPLACED = "the session was registered by another instance, to which it belongs now";
export const CANCELLED = "it is to be cancelled";

const ENDED_OTHERWISE: ReadonlySet<string> = new Set([
  "lease_lost",
  "session_replaced",
  "not_holder",
  "not_found",
]);
