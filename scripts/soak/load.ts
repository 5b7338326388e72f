/** All that a coordinator has to bear at a time: the sessions of the chaos runs, and clients of every kind. */
import { setMaxListeners } from "node:events";
import { within } from "../../src/client/waiting.ts";
import { createRandomFor } from "../../src/simulation/random.ts";
import { Workload } from "../lab/workload.ts";
import { cancelUnfinished } from "./cancel-unfinished.ts";
import type { Part } from "./client.ts";
import { feed, loopOverClaims, work } from "./library-load.ts";
import type { Meter } from "./meter.ts";
import { workSteadily } from "./steady-session.ts";
import { attend, park, subscribe } from "./visitors.ts";

/** Who takes part, and how many of them. */
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
/** What goes on for longer after the end does not end. */
const ENDING_MS = 60_000;

export interface LoadOptions {
  readonly urls: readonly string[];
  readonly sessions: number;
  readonly seed: number;
  readonly meter: Meter;
  /** Tells the tasks and sessions of one load from those of another. */
  readonly name: string;
}

export class Load implements AsyncDisposable {
  /** Rejects if somebody is told what nobody should ever be told. */
  readonly done: Promise<unknown>;
  readonly #workload: Workload;
  readonly #end = new AbortController();
  readonly #draining: NodeJS.Timeout;
  /** Who has not ended. */
  readonly #running = new Set<string>();

  private constructor(workload: Workload, { urls, seed, meter, name }: LoadOptions) {
    this.#workload = workload;
    this.#draining = setInterval(() => {
      meter.drain(workload.recording);
    }, DRAIN_MS);
    const { signal } = this.#end;
    // Each part waits for it: many listeners are no leak here.
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

  /** Lets what is under way end, and leaves no unfinished task. Rejects if something does not end. */
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
