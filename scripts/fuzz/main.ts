/** `npm run fuzz`: garbage for every endpoint of a real coordinator, and the proof that it did no harm. */
import type fc from "fast-check";
import { optionsOrExit } from "../options/command-line.ts";
import { findCulprit, type Search, shrink } from "./culprit.ts";
import { everydayProblem } from "./everyday.ts";
import { expectationOf } from "./expectation.ts";
import { messages } from "./generator.ts";
import { type FuzzMessage, fromBase64 } from "./message.ts";
import { runMutations } from "./mutation-run.ts";
import { parseOptions, SCRIPT } from "./options.ts";
import { reportMutations, reportProblem, reportRun } from "./report.ts";
import { type Problem, Rounds, unattributed } from "./rounds.ts";
import { messagesOfRound, ROUND, runFuzz } from "./run.ts";
import { ProcessTarget, type Target } from "./target.ts";
import { runViolations } from "./violations.ts";

/** Of the messages: how many of them more are valid and change something, and are none at all. */
const MUTATIONS = 0.05;
const VIOLATIONS = 0.002;
const MOST_REPORTED = 10;

const options = optionsOrExit(SCRIPT, parseOptions);
const { seed, workers, only, replay } = options;
const print = (lines: readonly string[]): void => {
  for (const line of lines) console.log(line);
};
const problems = await fuzz();
for (const problem of problems.slice(0, MOST_REPORTED)) print(reportProblem(problem, options));
console.log(
  problems.length === 0 ? "nothing was wrong" : `${problems.length} problems, seed ${seed}`,
);
process.exitCode = problems.length === 0 ? 0 : 1;

async function fuzz(): Promise<readonly Problem[]> {
  await using target = await ProcessTarget.start(workers);
  const maxPayload = target.connection.info?.max_payload ?? 0;
  const arbitrary = messages({ maxPayload });
  if (only !== null || replay !== null) {
    const message = replay === null ? numbered(arbitrary, only ?? 0) : fromBase64(replay);
    return await playOne(target, message);
  }
  console.log(`npm run fuzz -- --messages ${options.messages} --seed ${seed} --workers ${workers}`);
  const progress = (sent: number): void => {
    if (process.stderr.isTTY) process.stderr.write(`${sent}\r`);
  };
  const result = await runFuzz(target, arbitrary, { ...options, progress });
  print(reportRun(result));
  if (result.problems.length > 0) {
    const start = (): Promise<Target> => ProcessTarget.start(workers);
    return await culprits({ arbitrary, seed, start }, result.problems, result.lastRound);
  }
  const violations = Math.ceil(options.messages * VIOLATIONS);
  const found = [...(await runViolations(target, { seed, count: violations }))];
  const count = Math.ceil(options.messages * MUTATIONS);
  const mutated = await runMutations(target, { seed, messages: count });
  print([`${violations} times what is no message`, ...reportMutations(mutated)]);
  found.push(...mutated.problems);
  const everyday = await everydayProblem(target.connection);
  if (everyday !== null) found.push(unattributed(everyday));
  return found;
}

/** The message with this number of the run with the seed. */
function numbered(arbitrary: fc.Arbitrary<FuzzMessage>, number: number): FuzzMessage {
  const round = messagesOfRound(arbitrary, Math.floor(number / ROUND), { seed });
  const one = round[number % ROUND];
  if (one === undefined) throw new Error(`there is no message ${number}`);
  return one.message;
}

async function playOne(target: Target, message: FuzzMessage): Promise<readonly Problem[]> {
  const expected = expectationOf(message);
  await using rounds = await Rounds.open(target);
  const { sent, problems } = await rounds.play([{ number: only ?? 0, message, expected }]);
  print(sent.map(({ outcome }) => `${outcome}; expected was ${JSON.stringify(expected)}`));
  return problems;
}

/** The problems, and before them the smallest message that brings one about, if there is one. */
async function culprits(
  search: Search,
  found: readonly Problem[],
  round: number,
): Promise<readonly Problem[]> {
  const known = found.find(({ number }) => number !== null);
  console.log("looking for the smallest message that does it");
  const culprit = known ?? (await findCulprit(search, round));
  if (culprit === null) return found;
  const smallest = culprit.number === null ? null : await shrink(search, culprit.number);
  return [smallest, culprit, ...found].filter((problem) => problem !== null);
}
