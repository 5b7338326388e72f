/** Keeps a number of operations under way, and says how many a second and how long each takes. */

export interface Load {
  /** Operations under way at any time. */
  readonly inFlight: number;
  /** How many there are to be. */
  readonly count: number;
}

export interface Measured {
  /** What the operations did: as many as there were, unless each does several things. */
  readonly done: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

/** Resolves with how many things it did, if not one. @throws for what would make the figures a lie */
export type Operate = (index: number) => Promise<unknown>;

/** Ends early when an operation says that it did nothing, as one that takes from a queue that is empty. */
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
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
  return {
    ...{ done, seconds, perSecond: done / seconds },
    ...{ p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) },
  };
}
