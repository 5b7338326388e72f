/** Sessions that work on their own tasks, and a subscriber that records every update. */
import { setMaxListeners } from "node:events";
import type { Coordinator } from "../../src/client/coordinator.ts";
import { Recording } from "../../src/history/recording.ts";
import { createRandomFor } from "../../src/simulation/random.ts";
import { LibraryClient, TaskConnection } from "./clients.ts";
import { OpenTasks } from "./open-tasks.ts";
import { Repeats } from "./repeats.ts";
import { ChaosSession } from "./session.ts";

export interface WorkloadOptions {
  /** For the subscriber. */
  readonly urls: readonly string[];
  /** For the sessions. Default: the same. */
  readonly sessionUrls?: readonly string[];
  readonly sessions: number;
  readonly seed: number;
  /** How many unfinished tasks the sessions keep. */
  readonly openTasks: number;
}

/** Without accounts, the garbage uses other ids. Otherwise it would speak for these sessions. */
export function sessionNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `chaos${i + 1}`);
}

export class Workload implements AsyncDisposable {
  readonly recording = new Recording();
  readonly coordinator: Coordinator;
  /** Rejects if a session is told what no session should ever be told. */
  readonly done: Promise<unknown>;
  readonly #client: LibraryClient;
  readonly #end = new AbortController();

  private constructor(client: LibraryClient, options: WorkloadOptions) {
    this.#client = client;
    this.coordinator = client.coordinator;
    // Each session and each of its repetitions listens for the end.
    setMaxListeners(0, this.#end.signal);
    const openTasks = new OpenTasks(options.openTasks);
    const sessions = sessionNames(options.sessions).map((id, i) =>
      this.#work(id, i + 1, openTasks, options),
    );
    this.done = Promise.all(sessions);
    this.done.catch(() => undefined);
  }

  static async start(options: WorkloadOptions): Promise<Workload> {
    const workload = new Workload(await LibraryClient.open(options.urls, "subscriber"), options);
    await workload.coordinator.subscribeTaskUpdates(
      (update) => {
        workload.recording.add(update);
      },
      { since: "beginning" },
    );
    return workload;
  }

  /** Lets the requests that are under way end. */
  async end(): Promise<void> {
    this.#end.abort();
    await this.done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#client[Symbol.asyncDispose]();
  }

  async #work(
    id: string,
    n: number,
    openTasks: OpenTasks,
    { urls, sessionUrls = urls, seed, sessions }: WorkloadOptions,
  ): Promise<void> {
    const { signal } = this.#end;
    const random = createRandomFor(seed, n);
    const repeats = new Repeats(createRandomFor(seed, sessions + n), signal);
    await using client = await TaskConnection.open(sessionUrls, id);
    const { tasks } = client;
    const context = { id, tasks, random, recording: this.recording, openTasks, signal, repeats };
    await Promise.race([new ChaosSession(context).run(), repeats.failed]);
    await repeats.end();
  }
}
