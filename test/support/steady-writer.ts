/** A writer for tests of faults: it creates, claims, releases and cancels tasks until it is stopped. */
import { TaskError } from "../../src/index.ts";
import type { UpdateClient } from "./observed-updates.ts";

/** A task gets so few writes that a history of 64 keeps all of them. */
const RECENT = 10;
/** A lost request is sent again soon. */
const CALL = { timeoutMs: 500 };

export class SteadyWriter {
  /** The number of requests that were carried out. */
  written = 0;
  readonly #client: UpdateClient;
  readonly #random: () => number;
  readonly #ids: string[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #done: Promise<void>;
  #isStopped = false;

  /** It needs its own connection if the test closes that of the subscriber. */
  constructor(client: UpdateClient, random: () => number = Math.random) {
    this.#client = client;
    this.#random = random;
    this.#done = this.#work();
  }

  /** Resolves when this number of further requests has been carried out. */
  async untilWritten(count: number): Promise<void> {
    const wanted = this.written + count;
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (this.written < wanted) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
    });
  }

  /** @returns the last revision */
  async stop(): Promise<number> {
    this.#isStopped = true;
    await this.#done;
    return (await this.#client.coordinator.tasks.create(undefined, {}, CALL)).revision;
  }

  async #work(): Promise<void> {
    while (!this.#isStopped) {
      try {
        await this.#step();
        this.written++;
        for (const check of [...this.#waiting]) check();
      } catch (error) {
        // Refusals are expected. Requests while the server was down have an unknown outcome.
        if (!(error instanceof TaskError)) throw error;
      }
    }
  }

  async #step(): Promise<unknown> {
    const { tasks } = this.#client.coordinator;
    const id = this.#ids[Math.floor(this.#random() * this.#ids.length)];
    const session_id = `session-${Math.floor(this.#random() * 3)}`;
    const choice = this.#random();
    if (id === undefined || choice < 0.4) {
      const created = `task-${crypto.randomUUID()}`;
      this.#ids.push(created);
      if (this.#ids.length > RECENT) this.#ids.shift();
      return tasks.create(created, { title: created }, CALL);
    }
    if (choice < 0.7) return tasks.claim(id, { session_id }, CALL);
    if (choice < 0.8) return tasks.release(id, { session_id, status: "available" }, CALL);
    if (choice < 0.95) return tasks.release(id, { session_id, status: "complete" }, CALL);
    return tasks.cancel(id, {}, CALL);
  }
}
