/** A session that writes, and the writes that were acknowledged. */
import { setTimeout as delay } from "node:timers/promises";
import type { TaskClient } from "../../src/client/task-client.ts";
import { TaskError } from "../../src/client/task-error.ts";
import type { TaskRecord } from "../../src/protocol/task-record.ts";
import type { Random } from "../../src/simulation/random.ts";

/** An acknowledged write. It should not be lost. */
export interface Acknowledged {
  readonly kind: "create" | "claim" | "release";
  readonly taskId: string;
  readonly revision: number;
  readonly status: string;
  readonly attempt: number;
  readonly holder: string | null;
  /** The time of the answer, by the clock of this process. */
  readonly at: number;
}

/** No repetition: nothing is written twice. */
const ONCE = { deadlineMs: 0, timeoutMs: 3_000 };
const TTL_SECONDS = 5;
const PAUSE_MS = 100;
/** Tasks that are claimed again and again, so that there are attempts to lose. */
const LASTING = 5;
/** The bucket keeps 64 records of a task. The history of a task with more would be incomplete. */
const MOST_ATTEMPTS = 20;

export class Writer {
  readonly #tasks: TaskClient;
  readonly #id: string;
  readonly #random: Random;
  readonly #acknowledged: Acknowledged[];
  readonly #lasting: string[] = [];
  #created = 0;

  constructor(tasks: TaskClient, id: string, random: Random, acknowledged: Acknowledged[]) {
    this.#tasks = tasks;
    this.#id = id;
    this.#random = random;
    this.#acknowledged = acknowledged;
  }

  /** Ends when the signal is aborted. @throws what is neither a refusal nor a lost answer */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#act();
      } catch (error) {
        if (!(error instanceof TaskError) || error.code === "internal") throw error;
        // After an outage the session may no longer hold these tasks, so it takes others.
        this.#lasting.length = 0;
      }
      await delay(this.#random() * PAUSE_MS);
    }
  }

  async #act(): Promise<void> {
    if (this.#lasting.length < LASTING) {
      this.#lasting.push(await this.#create());
      return;
    }
    if (this.#random() < 0.5) {
      const id = await this.#create();
      await this.#claim(id);
      await this.#release(id, "complete");
      return;
    }
    const at = Math.floor(this.#random() * LASTING);
    const id = this.#lasting[at] ?? "";
    const attempt = await this.#claim(id);
    await this.#release(id, "available");
    if (attempt >= MOST_ATTEMPTS) this.#lasting.splice(at, 1);
  }

  async #create(): Promise<string> {
    const id = `${this.#id}-${++this.#created}`;
    this.#add("create", await this.#tasks.create(id, {}, ONCE));
    return id;
  }

  async #claim(id: string): Promise<number> {
    const input = { session_id: this.#id, ttl_seconds: TTL_SECONDS };
    const claim = await this.#tasks.claim(id, input, ONCE);
    this.#add("claim", claim);
    return claim.attempt;
  }

  async #release(id: string, status: "complete" | "available"): Promise<void> {
    const input = { session_id: this.#id, status };
    this.#add("release", await this.#tasks.release(id, input, ONCE));
  }

  #add(
    kind: Acknowledged["kind"],
    { task, revision }: { readonly task: TaskRecord; readonly revision: number },
  ): void {
    const { task_id: taskId, status, attempt, claimed_by: holder } = task;
    const at = performance.now();
    this.#acknowledged.push({ kind, taskId, revision, status, attempt, holder, at });
  }
}
