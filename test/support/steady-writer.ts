/** Somebody who works while a test breaks things: creates, claims, releases and cancels tasks until told to stop. */
import { TaskError } from "../../src/index.ts";
import type { UpdateClient } from "./observed-updates.ts";

/** Few enough writes to one task that a history of 64 keeps them all. */
const RECENT = 10;
/** A request that was lost is sent again soon. */
const CALL = { timeoutMs: 500 };

export class SteadyWriter {
  /** Requests that were carried out. */
  written = 0;
  readonly #client: UpdateClient;
  readonly #random: () => number;
  readonly #ids: string[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #done: Promise<void>;
  #isStopped = false;

  /** It needs a connection of its own if the one of the subscriber is to be cut. */
  constructor(client: UpdateClient, random: () => number = Math.random) {
    this.#client = client;
    this.#random = random;
    this.#done = this.#work();
  }

  /** Resolves when it has carried out so many more. */
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

  /** Returns the last revision. */
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
        // Refusals are part of it; and of what happened while the server was gone nothing is known.
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
