/** A crowd of sessions or subscribers, spread over several processes. */
import { Child } from "../scripts/lab/child.ts";
import { type Cleanup, startWithCleanup } from "../src/cleanup.ts";
import { programOf } from "./arena.ts";
import type { Life, Lived } from "./crowd-life.ts";
import type { Arrival, CrowdMethods, Expected } from "./crowd-program.ts";

/** The processes share the cores with the server. */
export const PROCESSES = 4;
const ARRIVAL_MS = 120_000;

export class Crowd implements AsyncDisposable {
  readonly #children: readonly Child<CrowdMethods>[];
  readonly #cleanup: Cleanup;

  private constructor(children: readonly Child<CrowdMethods>[], cleanup: Cleanup) {
    this.#children = children;
    this.#cleanup = cleanup;
  }

  static async start(servers: readonly string[]): Promise<Crowd> {
    return await startWithCleanup(async (cleanup) => {
      const children: Child<CrowdMethods>[] = [];
      while (children.length < PROCESSES) {
        children.push(cleanup.use(await Child.start(programOf("crowd-program"), servers)));
      }
      return new Crowd(children, cleanup);
    });
  }

  /** Resolves when all sessions are connected. */
  async connect(sessions: number): Promise<void> {
    const share = (index: number): number => Math.floor((sessions + index) / PROCESSES);
    await this.#all((child, index) => child.ask("connect", share(index)));
  }

  async subscribe(subjects: readonly string[]): Promise<void> {
    await this.#all((child) => child.ask("subscribe", subjects));
  }

  /** In each process: so many connections of the library, with so many subscriptions each. */
  async watchTasks(connections: number, subscriptions: number): Promise<void> {
    await this.#all((child) => child.ask("watchTasks", connections, subscriptions));
  }

  /** Sends messages, and resolves when all subscribers have received those that are expected. */
  async receive(expected: Expected, send: () => Promise<unknown>): Promise<Arrival> {
    await this.#all((child) => child.ask("expect", expected));
    await send();
    const arrivals = await this.#all((child) => child.ask("arrival", ARRIVAL_MS));
    // A process may have no subscriber.
    const latest = (times: readonly number[]): number =>
      Math.max(...times.filter((time) => Number.isFinite(time)));
    return {
      median: latest(arrivals.map(({ median }) => median)),
      last: latest(arrivals.map(({ last }) => last)),
      missing: arrivals.reduce((sum, { missing }) => sum + missing, 0),
    };
  }

  /** Meanwhile, the processes of the sessions stand still. What is sent to them waits in their sockets. */
  async whilePaused<T>(work: () => Promise<T>): Promise<T> {
    this.#signal("SIGSTOP");
    try {
      return await work();
    } finally {
      this.#signal("SIGCONT");
    }
  }

  async live(life: Omit<Life, "prefix">): Promise<Lived> {
    const all = await this.#all((child, index) =>
      child.ask("live", { ...life, prefix: `crowd-${index}` }),
    );
    const of = (kind: keyof Lived["latencies"]): number[] =>
      all.flatMap(({ latencies }) => latencies[kind]);
    return {
      latencies: { next: of("next"), release: of("release"), heartbeat: of("heartbeat") },
      failures: all.reduce((sum, { failures }) => sum + failures, 0),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup[Symbol.asyncDispose]();
  }

  #signal(signal: "SIGSTOP" | "SIGCONT"): void {
    for (const { pid } of this.#children) process.kill(pid, signal);
  }

  #all<T>(ask: (child: Child<CrowdMethods>, index: number) => Promise<T>): Promise<T[]> {
    return Promise.all(this.#children.map(ask));
  }
}
