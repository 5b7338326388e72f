/** Sessions at work on tasks that they create themselves, and a subscriber that is told of everything. */
import { setMaxListeners } from "node:events";
import { Coordinator } from "../../src/client/coordinator.ts";
import { EventBus } from "../../src/client/event-bus.ts";
import { TaskClient } from "../../src/client/task-client.ts";
import { connectNats } from "../../src/nats/connection.ts";
import { createRequester } from "../../src/nats/request.ts";
import { createRandomFor } from "../../src/simulation/random.ts";
import { OpenTasks } from "./open-tasks.ts";
import { Recording } from "../../src/history/recording.ts";
import { Repeats } from "./repeats.ts";
import { ChaosSession } from "./session.ts";
import { QUIET } from "./quiet-logger.ts";

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

export class Workload implements AsyncDisposable {
  readonly recording = new Recording();
  readonly coordinator: Coordinator;
  /** Rejects if a session is told what no session should ever be told. */
  readonly done: Promise<unknown>;
  readonly #bus: EventBus;
  readonly #end = new AbortController();

  private constructor(bus: EventBus, options: WorkloadOptions) {
    this.#bus = bus;
    // Each session waits for the end, and each of its repetitions.
    setMaxListeners(0, this.#end.signal);
    this.coordinator = new Coordinator(bus);
    const openTasks = new OpenTasks(options.openTasks);
    const sessions = Array.from({ length: options.sessions }, (_, i) =>
      // Not as in the garbage, which would speak for them.
      this.#work(`chaos${i + 1}`, i + 1, openTasks, options),
    );
    this.done = Promise.all(sessions);
    this.done.catch(() => undefined);
  }

  static async start(options: WorkloadOptions): Promise<Workload> {
    const config = { servers: options.urls, reconnectTimeWait: 0.1 };
    const bus = new EventBus({ backend: "nats", config, logger: QUIET });
    if (!(await bus.connect())) throw new Error("the servers cannot be reached");
    const workload = new Workload(bus, options);
    await workload.coordinator.subscribeTaskUpdates(
      (update) => {
        workload.recording.add(update);
      },
      { since: "beginning" },
    );
    return workload;
  }

  /** Lets what is under way end. */
  async end(): Promise<void> {
    this.#end.abort();
    await this.done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort();
    await this.#bus.disconnect();
  }

  async #work(
    id: string,
    n: number,
    openTasks: OpenTasks,
    { urls, sessionUrls: servers = urls, seed, sessions }: WorkloadOptions,
  ): Promise<void> {
    const connection = await connectNats({ servers, reconnectTimeWait: 0.1, name: id });
    const random = createRandomFor(seed, n);
    const repeats = new Repeats(createRandomFor(seed, sessions + n), this.#end.signal);
    try {
      const tasks = new TaskClient(createRequester(connection), { logger: QUIET });
      const { recording } = this;
      const signal = this.#end.signal;
      const context = { id, tasks, random, recording, openTasks, signal, repeats };
      await Promise.race([new ChaosSession(context).run(), repeats.failed]);
      await repeats.end();
    } finally {
      await connection.close();
    }
  }
}
