/** `npm run fuzz`: garbage for every endpoint of a real coordinator, and the proof that it did no harm. */
import type fc from "fast-check";
import { runScript } from "../lab/run-script.ts";
import { findCulprit, type Search, shrink } from "./culprit.ts";
import { expectationOf } from "./expectation.ts";
import { AGENT_PAYLOAD, HOSTILE } from "../lab/accounts.ts";
import { messages, messagesOf } from "./generator.ts";
import { type FuzzMessage, fromBase64 } from "./message.ts";
import { runMutations } from "./mutation-run.ts";
import { formatOptions, type FuzzOptions, parseOptions, SCRIPT } from "./options.ts";
import { reportMutations, reportProblem, reportRun } from "./report.ts";
import { type Problem, Rounds, unattributed } from "./rounds.ts";
import { messagesOfRound, ROUND, runFuzz } from "./run.ts";
import { ProcessTarget, type Target } from "./target.ts";
import { runViolations } from "./violations.ts";
import { everydayProblem } from "./world.ts";

/** In addition to the messages, as shares of them: requests that change something, and violations. */
const MUTATIONS = 0.05;
const VIOLATIONS = 0.002;
const MOST_REPORTED = 10;

await runScript({
  script: SCRIPT,
  parse: parseOptions,
  format: formatOptions,
  run: async (options, run) => {
    await using target = await ProcessTarget.start(options.workers, options.secured);
    const problems = await run.untilInterrupted(fuzz(target, options));
    for (const problem of problems.slice(0, MOST_REPORTED)) print(reportProblem(problem, options));
    const isWell = problems.length === 0;
    print([isWell ? "nothing was wrong" : `${problems.length} problems, seed ${options.seed}`]);
    return isWell;
  },
});

async function fuzz(target: Target, options: FuzzOptions): Promise<readonly Problem[]> {
  const { seed, workers, only, replay, secured } = options;
  const maxPayload = target.connection.info?.max_payload ?? 0;
  const arbitrary = secured ? messagesOf(HOSTILE, AGENT_PAYLOAD) : messages({ maxPayload });
  if (replay !== null) return await playOne(target, fromBase64(replay), 0);
  if (only !== null) return await playOne(target, numbered(arbitrary, seed, only), only);
  const progress = (sent: number): void => {
    if (process.stderr.isTTY) process.stderr.write(`${sent}\r`);
  };
  const result = await runFuzz(target, arbitrary, { ...options, progress });
  print(reportRun(result));
  if (result.problems.length > 0) {
    const start = (): Promise<Target> => ProcessTarget.start(workers, secured);
    return await withCulprits({ arbitrary, seed, start }, result.problems, result.lastRound);
  }
  if (secured) return await everydayProblems(target);
  const violations = Math.ceil(options.messages * VIOLATIONS);
  const found = [...(await runViolations(target, { seed, count: violations }))];
  const count = Math.ceil(options.messages * MUTATIONS);
  const mutated = await runMutations(target, { seed, messages: count });
  print([`${violations} times what is no message`, ...reportMutations(mutated)]);
  found.push(...mutated.problems);
  found.push(...(await everydayProblems(target)));
  return found;
}

async function everydayProblems(target: Target): Promise<Problem[]> {
  const everyday = await everydayProblem(target.connection);
  return everyday === null ? [] : [unattributed(everyday)];
}

function numbered(arbitrary: fc.Arbitrary<FuzzMessage>, seed: number, number: number): FuzzMessage {
  const round = messagesOfRound(arbitrary, Math.floor(number / ROUND), { seed });
  const one = round[number % ROUND];
  if (one === undefined) throw new Error(`there is no message ${number}`);
  return one.message;
}

async function playOne(
  target: Target,
  message: FuzzMessage,
  number: number,
): Promise<readonly Problem[]> {
  const expected = expectationOf(message);
  await using rounds = await Rounds.open(target);
  const { sent, problems } = await rounds.play([{ number, message, expected }]);
  print(sent.map(({ outcome }) => `${outcome}; expected was ${JSON.stringify(expected)}`));
  return problems;
}

/** The problems, after the smallest message that causes one, if such a message is found. */
async function withCulprits(
  search: Search,
  found: readonly Problem[],
  round: number,
): Promise<readonly Problem[]> {
  const known = found.find(({ number }) => number !== null);
  print(["looking for the smallest message that causes it"]);
  const culprit = known ?? (await findCulprit(search, round));
  if (culprit === null) return found;
  const smallest = culprit.number === null ? null : await shrink(search, culprit.number);
  return [smallest, culprit, ...found].filter((problem) => problem !== null);
}

function print(lines: readonly string[]): void {
  for (const line of lines) console.log(line);
}
