/**
 * Whether anything has grown. There are two rules, for two kinds of figures.
 *
 * _Returns_ is for what is opened and closed: descriptors, connections, subscriptions, consumers, parked
 * requests, registered sessions. It compares the level in the quiet after the warm-up with the level in the
 * quiet at the end. Each level is the median of at least three samples. The figure grows if the second level
 * is above the first by more than its slack and by more than 10%. So the rule ignores what the load needs,
 * and finds what it leaves behind.
 *
 * _Steady_ is for what goes up and down under load: memory, sizes of streams. It judges the second half of
 * the load, after the figure had the time to level out. Of a process that was restarted in that time, it
 * judges the longest life. That time is cut into 12 parts, and the lowest value of each part counts: of
 * memory, that is what the garbage collector left. The slope is that of Theil and Sen, the median of the
 * slopes between all pairs of parts, with its lower limit at 99% confidence. A figure grows if, by that
 * limit, it has grown by more than its noise, by more than 5% of its level (the median of the parts), and by
 * more than 10% of its level per hour. A short run finds large leaks. Small leaks take a long run, in which
 * the 10% per hour decide.
 *
 * A figure with too few samples, or measured for less than a minute, is "not judged".
 */
import type { Rule, Series } from "./series.ts";
import { median, trendOf } from "../lab/statistics.ts";

/** The phases of a run, in seconds since its start. */
export interface Phases {
  /** The quiet after the warm-up. */
  readonly quietBefore: Span;
  readonly load: Span;
  /** The quiet at the end. */
  readonly quietAfter: Span;
}

export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Judgement {
  readonly series: Series;
  readonly rule: Rule;
  readonly verdict: "ok" | "grows" | "not judged";
  /** The levels at the start and the end of the judged time. `null` if nothing was judged. */
  readonly start: number | null;
  readonly end: number | null;
  /** For a steady series. */
  readonly slopePerHour: number | null;
}

const SAMPLES = 3;
const SHARE_RETURNED = 0.1;
const PARTS = 12;
const SHORTEST_SECONDS = 60;
const SHARE_GROWN = 0.05;
const SHARE_PER_HOUR = 0.1;
const HOUR = 3600;

/** Judges each series that has a rule. */
export function judge(all: readonly Series[], phases: Phases): Judgement[] {
  return all.flatMap((series) => {
    if (series.rule === null) return [];
    const { rule } = series;
    const found =
      rule.kind === "returns" ? returned(series, rule, phases) : steady(series, rule, phases);
    return [{ series, rule, ...found }];
  });
}

type Found = Omit<Judgement, "series" | "rule">;

const NOT_JUDGED = { verdict: "not judged", start: null, end: null, slopePerHour: null } as const;

function returned(
  { points }: Series,
  { slack }: Extract<Rule, { kind: "returns" }>,
  { quietBefore, quietAfter }: Phases,
): Found {
  const [before, after] = [quietBefore, quietAfter].map((span) => within(points, span));
  if ((before?.length ?? 0) < SAMPLES || (after?.length ?? 0) < SAMPLES) return NOT_JUDGED;
  const [start = NaN, end = NaN] = [before, after].map((of = []) => median(of.map(([, y]) => y)));
  const grows = end - start > Math.max(slack, SHARE_RETURNED * start);
  return { verdict: grows ? "grows" : "ok", start, end, slopePerHour: null };
}

function steady(
  { points, births }: Series,
  { noise, levelsAfter = 0 }: Extract<Rule, { kind: "steady" }>,
  { load }: Phases,
): Found {
  const from = Math.max((load.from + load.to) / 2, load.from + levelsAfter);
  const span = longestLife({ from, to: load.to }, births);
  const seconds = span.to - span.from;
  const parts = seconds < SHORTEST_SECONDS ? [] : lowestOfParts(within(points, span), span);
  const trend = trendOf(parts);
  if (trend === null) return NOT_JUDGED;
  const level = median(parts.map(([, value]) => value));
  const grown = trend.atLeast * seconds;
  const grows =
    grown > Math.max(noise, SHARE_GROWN * level) && trend.atLeast * HOUR > SHARE_PER_HOUR * level;
  return {
    verdict: grows ? "grows" : "ok",
    start: median(parts.slice(0, SAMPLES).map(([, value]) => value)),
    end: median(parts.slice(-SAMPLES).map(([, value]) => value)),
    slopePerHour: trend.slope * HOUR,
  };
}

function within(points: Series["points"], { from, to }: Span): Series["points"] {
  return points.filter(([at]) => at >= from && at <= to);
}

function longestLife({ from, to }: Span, births: readonly number[]): Span {
  const inside = births.filter((at) => at > from && at < to);
  const bounds = [from, ...inside, to];
  const lives = inside.concat(to).map((end, i) => ({ from: bounds[i] ?? from, to: end }));
  return lives.reduce((best, life) => (life.to - life.from > best.to - best.from ? life : best));
}

/** The point with the lowest value of each part that has any. */
function lowestOfParts(points: Series["points"], { from, to }: Span): Series["points"] {
  const parts: (readonly [number, number])[] = [];
  const length = (to - from) / PARTS;
  for (let i = 0; i < PARTS; i++) {
    const part = within(points, { from: from + i * length, to: from + (i + 1) * length });
    const lowest = part.toSorted(([, a], [, b]) => a - b)[0];
    // A point on the border is in two parts, and two points at the same time have no slope.
    if (lowest !== undefined && lowest[0] !== parts.at(-1)?.[0]) parts.push(lowest);
  }
  return parts;
}
