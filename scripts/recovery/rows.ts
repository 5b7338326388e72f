/** What a measurement yields: named figures of several rounds. */
import { median } from "../lab/statistics.ts";

export interface Row {
  readonly what: string;
  readonly unit: "ms" | "requests" | "MiB" | "writes";
  /** One of each round. */
  readonly values: readonly number[];
}

export interface Summary {
  readonly what: string;
  readonly unit: string;
  readonly rounds: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function summarize({ what, unit, values }: Row): Summary {
  return {
    what,
    unit,
    rounds: values.length,
    median: Math.round(median(values)),
    min: Math.round(Math.min(...values)),
    max: Math.round(Math.max(...values)),
  };
}
