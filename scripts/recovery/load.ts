/** Claims at a steady pace, like those of many sessions with one request each. */
import { setTimeout as delay } from "node:timers/promises";
import { TaskError } from "../../src/client/task-error.ts";
import { readHistory } from "../../src/nats/read-history.ts";
import type { Bench } from "./bench.ts";
import { patiently } from "../lab/leader.ts";

const PER_SECOND = 50;
/** Before the fault, and after the last request that had to be repeated. */
const CALM_MS = 1_000;
/** Few, because a worker that starts reads all tasks: `cold-start.ts` measures many. */
const MOST_REQUESTS = 1_500;
/** For each attempt of a request. */
const TIMEOUT_MS = 1_000;
const PAUSE_MS = 20;
/** For a request with all its repetitions. */
const PATIENCE_MS = 60_000;
const SESSION = "load";
const TTL_SECONDS = 3_600;

export interface LoadResult {
  readonly requests: number;
  /** Requests that did not succeed the first time. */
  readonly askedAgain: number;
  /** Requests that never succeeded. */
  readonly failed: number;
  /** The longest wait for an answer, all repetitions included. */
  readonly slowestMs: number;
  /** The longest time without a success since the fault began. */
  readonly gapMs: number;
  /** Claims that were acknowledged and are not in the bucket. */
  readonly lost: number;
}

interface Asked {
  readonly taskId: string;
  readonly askedAt: number;
  /** Whether the request had to be repeated. */
  wasRefused: boolean;
  answeredAt: number | null;
}

/** Causes the fault under load. Continues until no request has to be repeated. */
export async function underLoad(bench: Bench, fault: () => Promise<void>): Promise<LoadResult> {
  const ids = [...(await bench.newTasks(MOST_REQUESTS))];
  const asked: Asked[] = [];
  const calls: Promise<void>[] = [];
  const timer = setInterval(() => {
    const taskId = ids.pop();
    if (taskId === undefined) return;
    const one: Asked = { taskId, askedAt: performance.now(), wasRefused: false, answeredAt: null };
    asked.push(one);
    calls.push(claim(bench, one));
  }, 1000 / PER_SECOND);
  let faultAt: number;
  try {
    await delay(CALM_MS);
    faultAt = performance.now();
    await fault();
    await untilCalm(asked, performance.now());
  } finally {
    clearInterval(timer);
  }
  await Promise.all(calls);
  return { ...figures(asked, faultAt), lost: await lostOf(bench, asked) };
}

async function claim({ tasks }: Bench, one: Asked): Promise<void> {
  const input = { session_id: SESSION, ttl_seconds: TTL_SECONDS };
  while (performance.now() - one.askedAt < PATIENCE_MS) {
    try {
      // A repetition by the same session gets the claim that it already has.
      await tasks.claim(one.taskId, input, { deadlineMs: 0, timeoutMs: TIMEOUT_MS });
      one.answeredAt = performance.now();
      return;
    } catch (error) {
      if (!(error instanceof TaskError) || !error.retryable) throw error;
      one.wasRefused = true;
      await delay(PAUSE_MS);
    }
  }
}

/** Resolves when no request of the last two seconds had to be repeated. */
async function untilCalm(asked: readonly Asked[], since: number): Promise<void> {
  for (;;) {
    await delay(100);
    const now = performance.now();
    if (now - since > PATIENCE_MS) return;
    const recent = asked.filter(({ askedAt }) => askedAt > now - 2 * CALM_MS);
    const isCalm = recent.every(
      ({ wasRefused, askedAt, answeredAt }) =>
        !wasRefused && (answeredAt !== null || now - askedAt < TIMEOUT_MS),
    );
    if (isCalm && now - since > 2 * CALM_MS) return;
  }
}

function figures(asked: readonly Asked[], faultAt: number): Omit<LoadResult, "lost"> {
  const waits = asked.flatMap(({ askedAt, answeredAt }) =>
    answeredAt === null ? [] : [answeredAt - askedAt],
  );
  const answers = asked.flatMap(({ answeredAt }) => answeredAt ?? []);
  const since = [faultAt, ...answers.filter((at) => at > faultAt).sort((a, b) => a - b)];
  return {
    requests: asked.length,
    askedAgain: asked.filter(({ wasRefused }) => wasRefused).length,
    failed: asked.filter(({ answeredAt }) => answeredAt === null).length,
    slowestMs: Math.max(...waits),
    gapMs: Math.max(...since.map((at, i) => at - (since[i - 1] ?? at))),
  };
}

async function lostOf({ connection }: Bench, asked: readonly Asked[]): Promise<number> {
  const entries = await patiently(() => readHistory(connection));
  const holders = new Map(entries.map(({ taskId, task }) => [taskId, task?.claimedBy]));
  const isLost = ({ taskId, answeredAt }: Asked): boolean =>
    answeredAt !== null && holders.get(taskId) !== SESSION;
  return asked.filter(isLost).length;
}
