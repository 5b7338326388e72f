/** A session of a run. It sends random requests, and records what it is told. */
import { setTimeout as delay } from "node:timers/promises";
import { TaskError } from "../../src/client/task-error.ts";
import type { Asked } from "../../src/history/recorded-operation.ts";
import { seenIn } from "../../src/history/recording.ts";
import type { TaskRecord } from "../../src/protocol/task-record.ts";
import { NextRelease } from "./next-release.ts";
import { type Held, NextRecord } from "./recorded-next.ts";
import { ONCE, type SessionContext } from "./session-context.ts";

/** From the shortest possible lease to one that outlives most faults. A long one is written after a while. */
const TTL_SECONDS = [1, 2, 5, 8] as const;
/** Longer than a run. */
const SESSION_TTL_SECONDS = 86_400;
const PAUSE_MS = 40;
/** So high that no task is given up. */
const MAX_FAILURES = 1_000;
const DELAY_SECONDS = 0.2;
/** No limit: faults may end any number of leases. */
const MAX_LOST_LEASES = 0;
/** So many of the releases ask for the next task as well. */
const NEXT_SHARE = 0.5;
/** So many of these are followed by a release of the same claim with another outcome. */
const CONTRADICTED_SHARE = 0.1;

/** A status that stands here twice is drawn twice as often. */
const STATUSES = ["complete", "complete", "available", "failed"] as const;

export class ChaosSession {
  readonly #context: SessionContext;
  #held: Held | null = null;
  #instance: string = crypto.randomUUID();
  /** A claim that the session has left: its process was replaced, or hangs. The process may wake up. */
  #left: Held | null = null;
  #created = 0;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** Ends when the signal is aborted. @throws for an answer that no session should ever get */
  async run(): Promise<void> {
    const { signal, random } = this.#context;
    await this.#register();
    while (!signal.aborted) {
      await this.#act(random());
      await delay(random() * PAUSE_MS);
    }
  }

  async #act(chance: number): Promise<void> {
    const { openTasks } = this.#context;
    const held = this.#held;
    if (chance < 0.01) return this.#comeBack();
    if (this.#left !== null && chance > 0.985) return this.#wake(this.#left);
    if (openTasks.isShort && chance < 0.3) return this.#create();
    if (chance < 0.14) return this.#get();
    if (chance < 0.16) return this.#cancel();
    if (chance < 0.17) return this.#requeue();
    if (held === null) return chance < 0.6 ? this.#claim() : this.#next();
    if (chance < 0.4) return this.#renew(held);
    // The session turns to something else, so the lease expires unless it comes back in time.
    if (chance < 0.45) this.#leave();
    else await this.#release(held);
  }

  /** The process has died, or seems to have: another process registers under the same id. */
  async #comeBack(): Promise<void> {
    this.#leave();
    this.#instance = crypto.randomUUID();
    await this.#register();
  }

  #leave(): void {
    this.#left = this.#held;
    this.#held = null;
  }

  /** The process continues its work. */
  async #wake(held: Held): Promise<void> {
    if (this.#context.random() < 0.5) return this.#renew(held);
    this.#left = null;
    await this.#release(held);
  }

  async #register(): Promise<void> {
    const { id: sessionId, tasks, recording } = this.#context;
    const instance = this.#instance;
    const input = { instance, ttl_seconds: SESSION_TTL_SECONDS };
    await this.#repeated(async () => {
      const invokedAt = performance.now();
      let returnedAt = Infinity;
      try {
        await tasks.register(sessionId, input, ONCE);
        returnedAt = performance.now();
      } catch (error) {
        if (!(error instanceof TaskError) || !(error.retryable || isReplaced(error))) throw error;
        // Then nothing has happened.
        if (isReplaced(error)) return;
      }
      recording.registrations.push({ sessionId, instance, invokedAt, returnedAt });
    });
  }

  async #create(): Promise<void> {
    const { id, tasks } = this.#context;
    const taskId = `${id}.${++this.#created}`;
    const dependsOn = this.#dependencies();
    const limits = { maxFailures: MAX_FAILURES, maxLostLeases: MAX_LOST_LEASES };
    const asked = { kind: "create", ...limits, dependsOn } as const;
    const [max_failures, max_lost_leases] = [MAX_FAILURES, MAX_LOST_LEASES];
    const definition = { max_failures, max_lost_leases, depends_on: dependsOn };
    await this.#run(taskId, asked, () => tasks.create(taskId, definition, ONCE));
  }

  /** Mostly none; otherwise tasks that other sessions work on. */
  #dependencies(): string[] {
    if (this.#context.random() < 0.7) return [];
    const ids = [this.#someTask(), this.#someTask()].filter((id) => id !== null);
    return [...new Set(ids)];
  }

  async #claim(): Promise<void> {
    const { id: session_id, tasks } = this.#context;
    const taskId = this.#someTask();
    if (taskId === null) return;
    const ttlSeconds = this.#ttl();
    const instance = this.#instance;
    const input = { session_id, instance, ttl_seconds: ttlSeconds };
    const asked = { kind: "claim", sessionId: session_id, instance, ttlSeconds } as const;
    const claim = await this.#run(taskId, asked, () => tasks.claim(taskId, input, ONCE));
    if (claim !== null) this.#held = { taskId, attempt: claim.attempt, instance };
  }

  async #next(): Promise<void> {
    const request_id = crypto.randomUUID();
    const ttlSeconds = this.#ttl();
    this.#held = await this.#repeated(() => this.#askNext(request_id, ttlSeconds));
  }

  async #askNext(request_id: string, ttlSeconds: number): Promise<Held | null> {
    const { id: session_id, tasks, recording } = this.#context;
    const instance = this.#instance;
    const input = { session_id, instance, request_id, ttl_seconds: ttlSeconds, wait_seconds: 0.05 };
    const asked = { requestId: request_id, sessionId: session_id, instance, ttlSeconds };
    const record = new NextRecord(recording, asked);
    try {
      return record.claims((await tasks.next(input, ONCE)).claims);
    } catch (error) {
      if (!(error instanceof TaskError) || !(error.retryable || isReplaced(error))) throw error;
      record.failed(error.code);
      return null;
    }
  }

  async #renew({ taskId, attempt, instance }: Held): Promise<void> {
    const { id: session_id, tasks, recording } = this.#context;
    const asked = { kind: "renew", sessionId: session_id, instance, attempt } as const;
    const renew = () => tasks.renew(taskId, { session_id, instance, attempt }, ONCE);
    const of = { taskId, client: session_id, asked };
    await this.#repeated(() => recording.run(of, renew, () => null));
  }

  async #release(held: Held): Promise<void> {
    const { taskId, attempt, instance } = held;
    const { id: session_id, tasks, random } = this.#context;
    const chance = random();
    const status = STATUSES[Math.floor(chance * STATUSES.length)] ?? "complete";
    const isDelayed = status === "available" && random() < 0.5;
    const holder = { sessionId: session_id, instance, attempt };
    const asked = { kind: "release", ...holder, status, isDelayed } as const;
    const delay = isDelayed ? { delay_seconds: DELAY_SECONDS, cause: "not now" } : {};
    const input = { session_id, instance, attempt, status, ...delay };
    const isHeld = this.#held === held;
    if (isHeld && random() < NEXT_SHARE) {
      const release = new NextRelease(this.#context, held, this.#ttl());
      this.#held = await this.#repeated(() => release.send(asked, input));
      if (random() < CONTRADICTED_SHARE) await release.contradict(asked);
      return;
    }
    await this.#run(taskId, asked, () => tasks.release(taskId, input, ONCE));
    if (isHeld) this.#held = null;
  }

  async #get(): Promise<void> {
    const { tasks } = this.#context;
    await this.#runOnSome({ kind: "get" }, (id) => tasks.get(id, ONCE));
  }

  async #cancel(): Promise<void> {
    const { tasks, random } = this.#context;
    const force = random() < 0.5;
    await this.#runOnSome({ kind: "cancel", force }, (id) => tasks.cancel(id, { force }, ONCE));
  }

  async #requeue(): Promise<void> {
    const { tasks } = this.#context;
    await this.#runOnSome({ kind: "requeue" }, (id) => tasks.requeue(id, {}, ONCE));
  }

  async #runOnSome(
    asked: Asked,
    operation: (taskId: string) => Promise<{ readonly task: TaskRecord }>,
  ): Promise<void> {
    const taskId = this.#someTask();
    if (taskId !== null) await this.#run(taskId, asked, () => operation(taskId));
  }

  async #run<T extends { readonly task: TaskRecord }>(
    taskId: string,
    asked: Asked,
    operation: () => Promise<T>,
  ): Promise<T | null> {
    const { id: client, recording, openTasks } = this.#context;
    const of = { taskId, client, asked };
    const reply = await this.#repeated(() =>
      recording.run(of, operation, ({ task }) => seenIn(task)),
    );
    if (reply !== null) openTasks.note(taskId, reply.task.status);
    return reply;
  }

  /** The session continues with the first answer. A repetition is answered at any time. */
  #repeated<T>(ask: () => Promise<T>): Promise<T> {
    this.#context.repeats.perhaps(ask);
    return ask();
  }

  #someTask(): string | null {
    const { openTasks, random } = this.#context;
    return openTasks.pick(random);
  }

  #ttl(): number {
    return TTL_SECONDS[Math.floor(this.#context.random() * TTL_SECONDS.length)] ?? 1;
  }
}

function isReplaced(error: unknown): boolean {
  return error instanceof TaskError && error.code === "session_replaced";
}
