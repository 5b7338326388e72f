/**
 * One run: the warm-up, which uses everything once without faults; a quiet, in which the levels are measured;
 * load with rare faults; and a quiet, in which everything has to return to these levels. In the second half
 * of the load no process is killed, so that each lives long enough to show whether it grows. Processes are
 * still paused and cut off.
 */
import { setTimeout as delay } from "node:timers/promises";
import { createRandomFor } from "../../src/simulation/random.ts";
import type { Cluster } from "../lab/cluster.ts";
import { Buckets } from "./bucket-figures.ts";
import { Load } from "./load.ts";
import { Meter } from "./meter.ts";
import type { SoakOptions } from "./options.ts";
import { causeRareFaults } from "./rare-faults.ts";
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
  readonly retentionSeconds: number;
}

/** Enough for a chart, and so few that they are no load. */
const SAMPLES = 240;
const [SHORTEST_SAMPLE_MS, LONGEST_SAMPLE_MS] = [1_000, 5_000];
const [LONGEST_WARM_UP_MS, LONGEST_PAUSE_MS] = [60_000, 20_000];
/** In addition to the time until the last task is removed and the last parked request ends. */
const QUIET_BEYOND_SECONDS = 8;
/** The last samples of a quiet, which are its level. */
const LEVEL_SAMPLES = 5;
/** Until the coordinator answers again. */
const RECOVERY_MS = 60_000;
/** Linux tries for 127 s to connect to a host that it cannot reach, and keeps the socket until then. */
const [SHORTEST_RETURN_MS, LONGEST_RETURN_MS] = [60_000, 150_000];

export async function runSoak(
  target: SoakTarget,
  options: SoakOptions,
  tell: (line: string) => void,
): Promise<Result> {
  const { cluster, retentionSeconds } = target;
  const { urls } = cluster;
  const { seed, sessions, durationMs } = options;
  const everyMs = between(SHORTEST_SAMPLE_MS, durationMs / SAMPLES, LONGEST_SAMPLE_MS);
  const settledSeconds = Math.max(retentionSeconds, PARKED_SECONDS) + QUIET_BEYOND_SECONDS;
  const quietMs = settledSeconds * 1000 + LEVEL_SAMPLES * everyMs;
  const meter = new Meter();
  await using buckets = await Buckets.connect(urls, { retentionSeconds, timeoutMs: 900 });
  await using sampler = new Sampler({ cluster, buckets, meter, everyMs });
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
  const faulty = causeRareFaults(cluster, {
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
  // The run ends when all levels have returned. After the deadline a level counts as not returned.
  while (performance.now() < deadline && judged().judgements.some(isAbove)) await delay(everyMs);
  say("the end");
  return { ...judged(), faults };
}

/** Keeps the load up while the rest runs. @throws for an answer that no client should ever get */
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
