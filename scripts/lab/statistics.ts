/** Statistics that a few outliers hardly change. */
export { quantile } from "../../src/simulation/figures.ts";

/** NaN if there are no values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low, high] = [sorted[middle - 1] ?? NaN, sorted[middle] ?? NaN];
  return sorted.length % 2 === 1 ? high : (low + high) / 2;
}

export interface Trend {
  /** The slope of Theil and Sen: the median of the slopes between all pairs of points. */
  readonly slope: number;
  /** With 99% confidence the slope is at least this, if the points differ from a line by chance. */
  readonly atLeast: number;
}

/** The 99th percentile of the normal distribution. */
const Z_99 = 2.326;

/** `null` for fewer than 8 points: with so few, chance looks like a trend. */
export function trendOf(points: readonly (readonly [x: number, y: number])[]): Trend | null {
  const n = points.length;
  if (n < 8) return null;
  const slopes = points
    .flatMap(([x, y], i) =>
      points.slice(i + 1).map(([laterX, laterY]) => (laterY - y) / (laterX - x)),
    )
    .sort((a, b) => a - b);
  // Sen 1968: the distance of the limit from the middle follows from the variance of Kendall's S.
  const spread = Z_99 * Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  const rank = Math.max(0, Math.floor((slopes.length - spread) / 2));
  return { slope: median(slopes), atLeast: slopes[rank] ?? NaN };
}
