/**
 * Claims the best ready tasks for a request. Other workers do the same at the same time: a worker that
 * loses the race for one task goes on with another task.
 */
import { CoordinatorError } from "../protocol/errors.ts";
import type { ReadyFilter, ReadyTask } from "../task/ready-queue.ts";
import type { Claimed } from "./claimed.ts";
import type { ClaimLimits } from "./claim-limits.ts";
import type { Claims } from "./claims.ts";
import { claimRequestOf, type NextRequest } from "./next-request.ts";
import type { Clock, ServiceContext } from "./ports.ts";
import type { ServiceSettings } from "./service-settings.ts";
import { ClaimRoom } from "./reply-page.ts";
import type { TaskIndex } from "./task-index.ts";

/** After a lost race, candidates are drawn at random from this many more, so that workers diverge. */
const SPREAD = 8;

export class ReadyClaims {
  readonly #claims: Claims;
  readonly #limits: ClaimLimits;
  readonly #tasks: TaskIndex;
  readonly #settings: ServiceSettings;
  readonly #clock: Clock;

  constructor(
    claims: Claims,
    limits: ClaimLimits,
    tasks: TaskIndex,
    { settings, clock }: ServiceContext,
  ) {
    this.#claims = claims;
    this.#limits = limits;
    this.#tasks = tasks;
    this.#settings = settings;
    this.#clock = clock;
  }

  /** Up to `count` ready tasks that fit the filter and that this worker is not claiming, best first. */
  candidates(count: number, filter: ReadyFilter): ReadyTask[] {
    this.#tasks.ready.promoteDue(this.#clock.now());
    return this.#tasks.ready.best(count, filter);
  }

  /** The tasks of these that are ready and that this worker is not claiming. */
  stillReady(taskIds: readonly string[]): ReadyTask[] {
    return taskIds.flatMap((taskId) => this.#tasks.readyTask(taskId) ?? []);
  }

  /**
   * Claims up to `max` ready tasks, but not more than fit into the reply or than the session may hold. `already`: claims that are in
   * the reply, too.
   */
  async claimBest(request: NextRequest, already: readonly Claimed[] = []): Promise<Claimed[]> {
    const claimed: Claimed[] = [];
    let lostRaces = 0;
    const max = Math.min(request.max, this.#limits.room(request));
    while (claimed.length < max) {
      const wanted = max - claimed.length;
      const spread = lostRaces === 0 ? 0 : SPREAD;
      const candidates = this.candidates(wanted + spread, request.filter);
      const drawn = spread === 0 ? candidates : this.#draw(candidates, wanted);
      const chosen = this.#fitting(drawn, request, [...already, ...claimed]);
      if (chosen.length === 0) break;
      const taken = await Promise.allSettled(chosen.map((task) => this.take(task.taskId, request)));
      for (const result of taken) {
        if (result.status === "fulfilled" && result.value !== null) claimed.push(result.value);
        else lostRaces++;
      }
      const failure = taken.find((result) => result.status === "rejected");
      if (failure === undefined) continue;
      // The claims that succeeded must still reach the client.
      if (claimed.length === 0) throw failure.reason;
      break;
    }
    return claimed;
  }

  /** The first tasks, as many as fit into the reply, and at least one if the reply is still empty. */
  #fitting(tasks: ReadyTask[], request: NextRequest, already: readonly Claimed[]): ReadyTask[] {
    // A single record always fits into a reply: a larger one could not be written either.
    if (tasks.length + already.length <= 1) return tasks;
    const room = new ClaimRoom(this.#settings.maxReplyBytes, request, already);
    const known = tasks.map(({ taskId }) => this.#tasks.get(taskId));
    if (room.certainlyHolds(known.filter((task) => task !== undefined))) return tasks;
    const end = known.findIndex((task) => task !== undefined && !room.take(task));
    if (end < 0) return tasks;
    return tasks.slice(0, already.length === 0 ? Math.max(1, end) : end);
  }

  /** Claims the task; `null` if it cannot be claimed. */
  take(taskId: string, request: NextRequest): Promise<Claimed | null> {
    return this.#reserve(taskId, request, () => this.#claim(taskId, request));
  }

  /** The same, unless the client of the request turns out to be absent. */
  takeUnless(
    isAbsent: (request: NextRequest) => Promise<boolean>,
    taskId: string,
    request: NextRequest,
  ): Promise<Claimed | "absent" | null> {
    return this.#reserve(taskId, request, async () =>
      (await isAbsent(request)) ? "absent" : this.#claim(taskId, request),
    );
  }

  /** Meanwhile this worker proposes the task to no other request, and the claim counts as held. */
  async #reserve<T>(taskId: string, request: NextRequest, meanwhile: () => Promise<T>): Promise<T> {
    this.#tasks.reserve(taskId);
    try {
      return await this.#limits.during(request, meanwhile);
    } finally {
      this.#tasks.free(taskId);
    }
  }

  async #claim(taskId: string, request: NextRequest): Promise<Claimed | null> {
    const proposed = this.#tasks.get(taskId);
    try {
      return await this.#claims.take(taskId, {
        sessionId: request.sessionId,
        instance: request.instance,
        ttlSeconds: request.ttlSeconds,
        capabilities: request.filter.capabilities,
        claimRequest: claimRequestOf(request),
        connection: request.connection,
        principal: request.principal,
        once: true,
      });
    } catch (error) {
      if (!(error instanceof CoordinatorError) || error.code === "unavailable") throw error;
      // Another worker was faster, or the task cannot be written at all.
      if (this.#tasks.get(taskId) === proposed) this.#tasks.setAside(taskId);
      return null;
    }
  }

  #draw(candidates: ReadyTask[], count: number): ReadyTask[] {
    const drawn: ReadyTask[] = [];
    while (drawn.length < count && candidates.length > 0) {
      drawn.push(...candidates.splice(Math.floor(this.#clock.random() * candidates.length), 1));
    }
    return drawn;
  }
}
