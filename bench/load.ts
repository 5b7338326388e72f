/** Keeps a number of operations in flight, and measures their rate and the latency of each. */
import { quantile } from "../scripts/lab/statistics.ts";

export interface Load {
  /** The number of operations at the same time. */
  readonly inFlight: number;
  /** The number of all operations. */
  readonly count: number;
}

export interface Measured {
  /** The number of things done: one for each operation, unless an operation does several. */
  readonly done: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

/** Resolves to the number of things it did, if not one. @throws if the figures would be wrong */
export type Operate = (index: number) => Promise<unknown>;

/** Ends early when an operation did nothing, such as one that takes from an empty queue. */
export async function runLoad(operate: Operate, { inFlight, count }: Load): Promise<Measured> {
  const latencies: number[] = [];
  let begun = 0;
  let done = 0;
  const startedAt = performance.now();
  const lane = async (): Promise<void> => {
    while (begun < count) {
      const index = begun++;
      const from = performance.now();
      const result = await operate(index);
      const achieved = typeof result === "number" ? result : 1;
      if (achieved === 0) return;
      latencies.push(performance.now() - from);
      done += achieved;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const seconds = (performance.now() - startedAt) / 1000;
  const [p50Ms = NaN, p95Ms = NaN, p99Ms = NaN] = [0.5, 0.95, 0.99].map((share) =>
    quantile(latencies, share),
  );
  return { done, seconds, perSecond: done / seconds, p50Ms, p95Ms, p99Ms };
}

/** The milliseconds that an operation takes. */
export async function timed(operate: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await operate();
  return performance.now() - from;
}
