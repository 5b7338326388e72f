/**
 * Claims the best ready tasks for somebody, against the other workers that do the same: whoever loses
 * the race for one task goes on with another.
 */
import { CoordinatorError } from "../protocol/errors.ts";
import type { ReadyFilter, ReadyTask } from "../task/ready-queue.ts";
import type { Claimed, Claims } from "./claims.ts";
import { claimRequestOf, type NextRequest } from "./next-request.ts";
import type { Clock, ServiceContext, ServiceSettings } from "./ports.ts";
import { ClaimRoom } from "./reply-page.ts";
import type { TaskIndex } from "./task-index.ts";

/** After a lost race, the next candidate is drawn from this many more, so that workers part ways. */
const SPREAD = 8;

export class ReadyClaims {
  readonly #claims: Claims;
  readonly #tasks: TaskIndex;
  readonly #settings: ServiceSettings;
  readonly #clock: Clock;
  /** Tasks for which a claim is under way here: not to be proposed to anybody else. */
  readonly #underway = new Set<string>();
  /**
   * Tasks that could not be had as this worker knows them: somebody was faster, or they cannot be
   * written at all. Not proposed again before the index has something newer.
   */
  readonly #lost = new Set<string>();

  constructor(claims: Claims, tasks: TaskIndex, { settings, clock }: ServiceContext) {
    this.#claims = claims;
    this.#tasks = tasks;
    this.#settings = settings;
    this.#clock = clock;
    tasks.onChange(({ taskId, after }) => {
      this.#lost.delete(taskId);
      if (after !== null && this.#underway.has(taskId)) tasks.ready.delete(after);
    });
  }

  /** Up to `count` ready tasks that the filter gets and nobody here is claiming, best first. */
  candidates(count: number, filter: ReadyFilter): ReadyTask[] {
    this.#tasks.ready.promoteDue(this.#clock.now());
    return this.#tasks.ready.best(count, filter);
  }

  /** Those of the tasks that are ready and that nobody here is claiming. */
  free(taskIds: readonly string[]): ReadyTask[] {
    const now = this.#clock.now();
    return taskIds.flatMap((taskId) => {
      const task = this.#tasks.get(taskId)?.task;
      const isReady = task?.status === "available" && (task.notBefore ?? 0) <= now;
      return isReady && this.#isFree(taskId) ? [task] : [];
    });
  }

  #isFree(taskId: string): boolean {
    return !this.#underway.has(taskId) && !this.#lost.has(taskId);
  }

  /**
   * Claims up to `max` ready tasks; fewer or none if there are no more, or if no more fit into the reply.
   * `already`: what the reply holds beside them.
   */
  async claimBest(request: NextRequest, already: readonly Claimed[] = []): Promise<Claimed[]> {
    const claimed: Claimed[] = [];
    let lostRaces = 0;
    while (claimed.length < request.max) {
      const wanted = request.max - claimed.length;
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
      // What was claimed must reach the client all the same.
      if (claimed.length === 0) throw failure.reason;
      break;
    }
    return claimed;
  }

  /** The first of the tasks, as many as fit into the reply; at least one if there is none in it yet. */
  #fitting(tasks: ReadyTask[], request: NextRequest, already: readonly Claimed[]): ReadyTask[] {
    // One alone always fits, or could not be written either.
    if (tasks.length + already.length <= 1) return tasks;
    const room = new ClaimRoom(this.#settings.maxReplyBytes, request, already);
    const end = tasks.findIndex(({ taskId }) => {
      const known = this.#tasks.get(taskId);
      return known !== undefined && !room.take(known.task);
    });
    if (end < 0) return tasks;
    return tasks.slice(0, already.length === 0 ? Math.max(1, end) : end);
  }

  /** `null`: the task is not to be had. */
  take(taskId: string, request: NextRequest): Promise<Claimed | null> {
    return this.#reserve(taskId, () => this.#claim(taskId, request));
  }

  /** The same, but only if the client of the request does not turn out to be absent. */
  takeUnless(
    isAbsent: (request: NextRequest) => Promise<boolean>,
    taskId: string,
    request: NextRequest,
  ): Promise<Claimed | "absent" | null> {
    return this.#reserve(taskId, async () =>
      (await isAbsent(request)) ? "absent" : this.#claim(taskId, request),
    );
  }

  /** Proposes the task to nobody else here in the meantime. */
  async #reserve<T>(taskId: string, meanwhile: () => Promise<T>): Promise<T> {
    this.#underway.add(taskId);
    const proposed = this.#tasks.get(taskId);
    if (proposed !== undefined) this.#tasks.ready.delete(proposed.task);
    try {
      return await meanwhile();
    } finally {
      this.#underway.delete(taskId);
      const task = this.#tasks.get(taskId)?.task;
      const isReady = task?.status === "available" && !this.#lost.has(taskId);
      if (isReady) this.#tasks.ready.add(task, this.#clock.now());
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
        once: true,
      });
    } catch (error) {
      if (!(error instanceof CoordinatorError) || error.code === "unavailable") throw error;
      if (this.#tasks.get(taskId) === proposed) this.#lost.add(taskId);
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
