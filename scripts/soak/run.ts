/**
 * One run: load without faults until everything has been used once (the warm-up), a quiet in which the
 * levels are measured, load with rare faults, and a quiet in which everything has to come back to these
 * levels. In the second half of the load no process is killed, so that each lives long enough to show
 * whether it grows; they are still stopped and cut off.
 */
import { setTimeout as delay } from "node:timers/promises";
import { createRandomFor } from "../../src/simulation/random.ts";
import type { Cluster } from "../lab/cluster.ts";
import { Buckets } from "./bucket-figures.ts";
import { Load } from "./load.ts";
import { Meter } from "./meter.ts";
import type { SoakOptions } from "./options.ts";
import { bringAboutRarely } from "./rare-faults.ts";
import { Sampler } from "./sampler.ts";
import type { Series } from "./series.ts";
import { type Judgement, judge, type Phases, type Span } from "./verdict.ts";
import { PARKED_SECONDS } from "./visitors.ts";

export interface Result {
  readonly series: readonly Series[];
  readonly phases: Phases;
  readonly judgements: readonly Judgement[];
  /** In seconds since the start. */
  readonly faults: readonly { readonly at: number; readonly name: string }[];
}

export interface SoakTarget {
  readonly cluster: Cluster;
  readonly figuresUrl: (name: string) => string;
  readonly retentionSeconds: number;
}

/** Enough for a chart, and not so often that the question becomes the load. */
const SAMPLES = 240;
const [SHORTEST_SAMPLE_MS, LONGEST_SAMPLE_MS] = [1_000, 5_000];
const [LONGEST_WARM_UP_MS, LONGEST_PAUSE_MS] = [60_000, 20_000];
/** When the last task has been removed and the last parked request has ended, and what was late as well. */
const QUIET_BEYOND_SECONDS = 8;
/** The last samples of a quiet are its level. */
const LEVEL_SAMPLES = 5;
/** Until all answer again. */
const RECOVERY_MS = 60_000;
/** Linux tries for 127 s to open a connection to whom it does not reach, and then lets go of it. */
const [SHORTEST_RETURN_MS, LONGEST_RETURN_MS] = [60_000, 150_000];

export async function runSoak(
  target: SoakTarget,
  options: SoakOptions,
  tell: (line: string) => void,
): Promise<Result> {
  const { cluster, figuresUrl, retentionSeconds } = target;
  const { nodes, workers, urls } = cluster;
  const { seed, sessions, durationMs } = options;
  const everyMs = between(SHORTEST_SAMPLE_MS, durationMs / SAMPLES, LONGEST_SAMPLE_MS);
  const settledSeconds = Math.max(retentionSeconds, PARKED_SECONDS) + QUIET_BEYOND_SECONDS;
  const quietMs = settledSeconds * 1000 + LEVEL_SAMPLES * everyMs;
  const meter = new Meter();
  await using buckets = await Buckets.connect(urls, { retentionSeconds, timeoutMs: 900 });
  await using sampler = new Sampler({ nodes, workers, figuresUrl, buckets, meter, everyMs });
  const say = (what: string): void => {
    tell(`${sampler.now.toFixed(1).padStart(8)} s  ${what}`);
  };
  const lastSamples = (): Span => ({
    from: sampler.now - (LEVEL_SAMPLES * everyMs) / 1000,
    to: sampler.now,
  });

  say("warm-up");
  await underLoad({ urls, sessions, seed, meter, name: "warm-up" }, () =>
    delay(Math.min(LONGEST_WARM_UP_MS, durationMs / 5)),
  );
  say("quiet");
  await delay(quietMs);
  const quietBefore = lastSamples();

  say("load with faults");
  const loadFrom = sampler.now;
  const faults: { at: number; name: string }[] = [];
  const end = new AbortController();
  const middle = loadFrom + durationMs / 2000;
  const faulty = bringAboutRarely(cluster, {
    random: createRandomFor(seed, 0),
    pauseMs: Math.min(LONGEST_PAUSE_MS, durationMs / 8),
    mayKill: () => sampler.now < middle,
    signal: end.signal,
    tell: (name) => {
      faults.push({ at: sampler.now, name });
      say(name);
    },
  });
  await underLoad({ urls, sessions, seed: seed + 1, meter, name: "load" }, async () => {
    await Promise.race([faulty, delay(durationMs)]);
    end.abort();
    await faulty;
  });
  const load = { from: loadFrom, to: sampler.now };

  say("the load has ended");
  await cluster.untilAnswered(RECOVERY_MS);
  const judged = (): Omit<Result, "faults"> => {
    const phases = { quietBefore, load, quietAfter: lastSamples() };
    const series = sampler.series.all;
    return { series, phases, judgements: judge(series, phases) };
  };
  const returnMs = between(SHORTEST_RETURN_MS, durationMs, LONGEST_RETURN_MS);
  const deadline = performance.now() + returnMs;
  await delay(quietMs);
  // It ends when all levels are back: a level that takes longer than the deadline does not return.
  while (performance.now() < deadline && judged().judgements.some(isAbove)) await delay(everyMs);
  say("the end");
  return { ...judged(), faults };
}

/** The load of the options, for as long as the rest goes on. @throws what the load should never be told */
async function underLoad(
  options: Parameters<typeof Load.start>[0],
  rest: () => Promise<void>,
): Promise<void> {
  await using load = await Load.start(options);
  await Promise.race([load.done, rest()]);
  await load.end();
}

function isAbove({ rule, verdict }: Judgement): boolean {
  return rule.kind === "returns" && verdict === "grows";
}

function between(least: number, value: number, most: number): number {
  return Math.min(Math.max(least, value), most);
}
