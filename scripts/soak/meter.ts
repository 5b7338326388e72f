/** Counts and times the operations of the load, from one sample to the next. */
import { TaskError } from "../../src/client/task-error.ts";
import type { Recording } from "../../src/history/recording.ts";

/** The operations since the last sample. */
export interface Interval {
  readonly counts: ReadonlyMap<string, number>;
  /** Of successful operations, in milliseconds. */
  readonly latencies: ReadonlyMap<string, readonly number[]>;
  /** By code. */
  readonly errors: ReadonlyMap<string, number>;
}

export class Meter {
  #counts = new Map<string, number>();
  #latencies = new Map<string, number[]>();
  #errors = new Map<string, number>();

  /** Resolves to the result of the operation, or to `null` after an error, which is counted by its code. */
  async measure<T>(name: string, operation: () => Promise<T>): Promise<T | null> {
    const started = performance.now();
    const result = await this.attempt(name, operation);
    if (result !== null) {
      const latencies = this.#latencies.get(name) ?? [];
      latencies.push(performance.now() - started);
      this.#latencies.set(name, latencies);
    }
    return result;
  }

  /** Like `measure`, but without the time. @throws what is no `TaskError` */
  async attempt<T>(name: string, operation: () => Promise<T>): Promise<T | null> {
    try {
      const result = await operation();
      this.count(name);
      return result;
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
      increase(this.#errors, error.code);
      return null;
    }
  }

  count(name: string): void {
    increase(this.#counts, name);
  }

  /** Counts and deletes what was recorded, so that the recording does not grow. */
  drain({ operations, nexts, registrations, updates }: Recording): void {
    registrations.length = 0;
    for (const { op } of operations.splice(0)) {
      if (op.told.kind === "ok") increase(this.#counts, op.asked.kind);
      else increase(this.#errors, op.told.kind === "refused" ? op.told.code : "unavailable");
    }
    for (const { told } of nexts.splice(0)) {
      if (typeof told === "string") increase(this.#errors, told === "lost" ? "unavailable" : told);
    }
    increase(this.#counts, "update", updates.splice(0).length);
  }

  /** Returns the operations since the last call. */
  take(): Interval {
    const interval = { counts: this.#counts, latencies: this.#latencies, errors: this.#errors };
    this.#counts = new Map();
    this.#latencies = new Map();
    this.#errors = new Map();
    return interval;
  }
}

function increase(counts: Map<string, number>, name: string, by = 1): void {
  if (by === 0) return;
  counts.set(name, (counts.get(name) ?? 0) + by);
}
