/** What a race has shown: who won each task, how fast the answers came, and what was refused. */
import { percentiles } from "../../simulation/figures.ts";

/** The answer to one claim. */
export interface Answer {
  readonly session: string;
  /** `null`: the session was told that it has the task. Otherwise the code of the refusal. */
  readonly refusal: string | null;
  /** From the request to the answer. */
  readonly ms: number;
}

/** All sessions have claimed this task at the same time. */
export interface Heat {
  readonly taskId: string;
  readonly answers: readonly Answer[];
  /** The session that holds the task, if its answer was lost. */
  readonly silentWinner: string | null;
}

/** For programs, as `--json` prints it. */
export interface RaceReport {
  /** Whether each task had exactly one winner. */
  readonly passed: boolean;
  /** Begins the id of each task. */
  readonly name: string;
  readonly tasks: number;
  readonly sessions: number;
  /** Numbers of tasks. */
  readonly winners: { readonly one: number; readonly none: number; readonly several: number };
  readonly sessions_that_won: number;
  /** Every task that had not exactly one winner. */
  readonly violations: readonly { readonly task_id: string; readonly winners: readonly string[] }[];
  readonly claims: number;
  readonly seconds: number;
  readonly claims_per_second: number;
  readonly latency_ms: Readonly<Record<"p50" | "p95" | "p99" | "max", number | null>>;
  /** Numbers of claims, by the code of their refusal. */
  readonly refusals: Readonly<Record<string, number>>;
  /** The tasks that could not be removed. */
  readonly left_behind: readonly string[];
}

export function winnersOf({ answers, silentWinner }: Heat): readonly string[] {
  const told = answers.filter(({ refusal }) => refusal === null).map(({ session }) => session);
  return silentWinner === null ? told : [...new Set([...told, silentWinner])];
}

/** @param seconds from the first claim to the last answer */
export function reportOf(
  heats: readonly Heat[],
  race: Pick<RaceReport, "name" | "sessions" | "seconds" | "left_behind">,
): RaceReport {
  const results = heats.map((heat) => ({ task_id: heat.taskId, winners: winnersOf(heat) }));
  const violations = results.filter(({ winners }) => winners.length !== 1);
  const none = violations.filter(({ winners }) => winners.length === 0).length;
  const answers = heats.flatMap((heat) => heat.answers);
  const latencies = answers.map(({ ms }) => ms);
  const { p50, p95, p99 } = percentiles(latencies);
  const refusals: Record<string, number> = {};
  for (const { refusal } of answers) {
    if (refusal !== null) refusals[refusal] = (refusals[refusal] ?? 0) + 1;
  }
  return {
    passed: violations.length === 0,
    name: race.name,
    tasks: heats.length,
    sessions: race.sessions,
    winners: {
      one: heats.length - violations.length,
      none,
      several: violations.length - none,
    },
    sessions_that_won: new Set(results.flatMap(({ winners }) => winners)).size,
    violations,
    claims: answers.length,
    seconds: rounded(race.seconds),
    claims_per_second: Math.round(answers.length / race.seconds),
    latency_ms: { p50, p95, p99, max: largest(latencies) },
    refusals,
    left_behind: race.left_behind,
  };
}

function largest(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return rounded(values.reduce((most, value) => Math.max(most, value)));
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
