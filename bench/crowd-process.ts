/** A crowd of sessions, spread over several processes. */
import { fileURLToPath } from "node:url";
import { Cleanup } from "../src/cleanup.ts";
import { Child } from "./child.ts";
import type { Arrival, CrowdOrder, Life, Lived } from "./crowd-orders.ts";

const PROGRAM = fileURLToPath(new URL("crowd.js", import.meta.url));

export class Crowd implements AsyncDisposable {
  readonly #children: readonly Child<CrowdOrder>[];
  readonly #cleanup: Cleanup;

  private constructor(children: readonly Child<CrowdOrder>[], cleanup: Cleanup) {
    this.#children = children;
    this.#cleanup = cleanup;
  }

  /** Resolves when all sessions are connected. */
  static async start(
    servers: readonly string[],
    { sessions, processes }: { readonly sessions: number; readonly processes: number },
  ): Promise<Crowd> {
    const cleanup = new Cleanup();
    try {
      const children: Child<CrowdOrder>[] = [];
      for (let i = 0; i < Math.min(processes, sessions); i++) {
        children.push(cleanup.use(await Child.start<CrowdOrder>(PROGRAM, servers)));
      }
      const crowd = new Crowd(children, cleanup);
      await crowd.#askAll((_, i) => ({ kind: "connect", count: crowd.#share(sessions, i) }));
      return crowd;
    } catch (error) {
      await cleanup[Symbol.asyncDispose]();
      throw error;
    }
  }

  get pids(): number[] {
    return this.#children.map(({ pid }) => pid);
  }

  /** @param prefixes of subjects, each up to and with its last point */
  async subscribe(prefixes: readonly string[]): Promise<void> {
    await this.#askAll(() => ({ kind: "subscribe", prefixes }));
  }

  /**
   * Resolves when all have got what `send` sends, on a subject that ends in `.name`.
   *
   * @returns when half of them had it and when the last one had, by the clock that all processes share
   */
  async expect(name: string, send: () => Promise<unknown>): Promise<Arrival> {
    await this.#askAll(() => ({ kind: "expect", name }));
    await send();
    const arrivals = (await this.#askAll(() => ({ kind: "arrival" }))) as Arrival[];
    return {
      median: Math.max(...arrivals.map(({ median }) => median)),
      last: Math.max(...arrivals.map(({ last }) => last)),
    };
  }

  async live(life: Omit<Life, "kind" | "prefix">): Promise<Lived> {
    const all = (await this.#askAll((_, i) => {
      return { kind: "live", ...life, prefix: `crowd-${i}` };
    })) as Lived[];
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

  #share(sessions: number, index: number): number {
    const processes = this.#children.length;
    return Math.floor(sessions / processes) + (index < sessions % processes ? 1 : 0);
  }

  #askAll(order: (child: Child<CrowdOrder>, index: number) => CrowdOrder): Promise<unknown[]> {
    return Promise.all(this.#children.map((child, i) => child.ask(order(child, i))));
  }
}
