/** The whole load on a coordinator: the sessions of the chaos runs, and clients of every kind. */
import { setMaxListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { TaskClient } from "../../src/client/task-client.ts";
import { within } from "../../src/client/waiting.ts";
import { createRandomFor } from "../../src/simulation/random.ts";
import { Workload } from "../lab/workload.ts";
import type { Part } from "./client.ts";
import { feed, loopOverClaims, work, workSteadily } from "./library-load.ts";
import type { Meter } from "./meter.ts";
import { attend, park, subscribe } from "./visitors.ts";

/** The kinds of clients, and how many there are of each. */
const PARTS: readonly (readonly [
  name: string,
  count: number,
  run: (part: Part) => Promise<void>,
])[] = [
  ["feeder", 1, feed],
  ["worker", 2, work],
  ["loop", 2, loopOverClaims],
  ["subscriber", 2, subscribe],
  ["visitor", 2, attend],
  ["parked", 2, park],
  ["steady", 3, workSteadily],
];

const OPEN_TASKS = 30;
const DRAIN_MS = 1_000;
/** A part that takes longer to end counts as stuck. */
const ENDING_MS = 60_000;
const AGAIN_MS = 500;
const PAGE = 1_000;

export interface LoadOptions {
  readonly urls: readonly string[];
  readonly sessions: number;
  readonly seed: number;
  readonly meter: Meter;
  /** The prefix of the ids, which distinguishes the tasks and sessions of two loads. */
  readonly name: string;
}

export class Load implements AsyncDisposable {
  /** Rejects for an answer that no client should ever get. */
  readonly done: Promise<unknown>;
  readonly #workload: Workload;
  readonly #end = new AbortController();
  readonly #draining: NodeJS.Timeout;
  /** The parts that have not ended. */
  readonly #running = new Set<string>();

  private constructor(workload: Workload, { urls, seed, meter, name }: LoadOptions) {
    this.#workload = workload;
    this.#draining = setInterval(() => {
      meter.drain(workload.recording);
    }, DRAIN_MS);
    const { signal } = this.#end;
    // Each part listens for it: many listeners are no leak here.
    setMaxListeners(0, signal);
    let n = 1_000;
    const parts = PARTS.flatMap(([kind, count, run]) =>
      Array.from({ length: count }, (_, i) => {
        const random = createRandomFor(seed, ++n);
        const id = `${name}-${kind}${i + 1}`;
        return this.#follow(id, run({ id, urls, random, meter, signal }));
      }),
    );
    this.done = Promise.all([...parts, this.#follow("the workload", workload.done)]);
    this.done.catch(() => undefined);
  }

  static async start(options: LoadOptions): Promise<Load> {
    const { urls, sessions, seed } = options;
    const workload = await Workload.start({ urls, sessions, seed, openTasks: OPEN_TASKS });
    return new Load(workload, options);
  }

  /** Lets everything end, and leaves no unfinished task. Rejects if a part does not end. */
  async end(): Promise<void> {
    this.#end.abort();
    const { tasks } = this.#workload.coordinator;
    const ended = Promise.all([this.#workload.end(), this.done]).then(() =>
      this.#follow("what it left unfinished", cancelUnfinished(tasks)),
    );
    await within(ENDING_MS, ended);
    if (this.#running.size === 0) return;
    throw new Error(`the load has ended, but not ${[...this.#running].join(", ")}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    clearInterval(this.#draining);
    await this.#workload[Symbol.asyncDispose]();
  }

  async #follow(name: string, done: Promise<unknown>): Promise<void> {
    this.#running.add(name);
    await done;
    this.#running.delete(name);
  }
}

/**
 * Cancels what the load leaves unfinished, so that no task has a reason to stay. Otherwise a task that
 * waits for a cancelled one waits forever, and the finished tasks that it depends on stay as long.
 *
 * Resolves when no task is unfinished. Claims end when their leases do.
 */
async function cancelUnfinished(tasks: TaskClient): Promise<void> {
  for (;;) {
    const status = ["blocked", "available", "claimed"] as const;
    const { tasks: unfinished } = await tasks.list({ status: [...status], limit: PAGE });
    if (unfinished.length === 0) return;
    const unclaimed = unfinished.filter((task) => task.status !== "claimed");
    // A refusal says that the task was claimed or finished meanwhile: the next list shows it.
    await Promise.allSettled(unclaimed.map(({ task_id }) => tasks.cancel(task_id)));
    await delay(AGAIN_MS);
  }
}
