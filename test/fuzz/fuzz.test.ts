/** A short run of `npm run fuzz`, against workers that are processes of their own. */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { messages, messagesOf } from "../../scripts/fuzz/generator.ts";
import { runMutations } from "../../scripts/fuzz/mutation-run.ts";
import { reportProblem } from "../../scripts/fuzz/report.ts";
import type { Problem } from "../../scripts/fuzz/rounds.ts";
import { type RunResult, runFuzz } from "../../scripts/fuzz/run.ts";
import { ProcessTarget } from "../../scripts/fuzz/target.ts";
import { runViolations } from "../../scripts/fuzz/violations.ts";
import { everydayProblem } from "../../scripts/fuzz/world.ts";
import { AGENT_PAYLOAD, HOSTILE } from "../../scripts/lab/accounts.ts";
import { OPERATION_NAMES } from "../../src/protocol/operations.ts";

const SEED = 20_251_112;
const MESSAGES = 2_000;
/** As many as `npm run fuzz -- --messages 5000` sends. */
const MUTATIONS = 250;

function words(problems: readonly Problem[], seed: number): string[] {
  const options = { seed, messages: MESSAGES };
  return problems.flatMap((problem) => reportProblem(problem, options));
}

describe("garbage", () => {
  let target: ProcessTarget;
  before(async () => {
    target = await ProcessTarget.start(2);
  });
  after(() => target[Symbol.asyncDispose]());

  const run = (seed: number, count: number): Promise<RunResult> => {
    const maxPayload = target.connection.info?.max_payload ?? 0;
    return runFuzz(target, messages({ maxPayload }), { seed, messages: count });
  };

  it("is answered once each, with no defect, and changes nothing", async () => {
    const result = await run(SEED, MESSAGES);
    assert.deepEqual(words(result.problems, SEED), []);
    assert.equal(result.sent, MESSAGES);
    // Not all of it is garbage: some requests reach the services behind the schemas.
    const outcomes = new Set([...result.outcomes.values()].flatMap((counts) => [...counts.keys()]));
    for (const outcome of ["ok", "invalid_request", "forbidden", "not_found", "lease_lost"]) {
      assert.ok(outcomes.has(outcome), `${outcome} is not among ${[...outcomes].join(", ")}`);
    }
  });

  it("does no harm with a random seed", async (test) => {
    const seed = randomInt(2 ** 31);
    test.diagnostic(`npm run fuzz -- --seed ${seed}`);
    assert.deepEqual(words((await run(seed, MESSAGES)).problems, seed), []);
  });

  it("reaches no worker if it is no message", async () => {
    assert.deepEqual(await runViolations(target, { seed: SEED, count: 40 }), []);
  });

  it("is stored as it was sent where it is valid, and nothing else is stored", async (test) => {
    const seed = randomInt(2 ** 31);
    test.diagnostic(`npm run fuzz -- --seed ${seed} --messages 5000`);
    const { problems, outcomes } = await runMutations(target, {
      seed,
      messages: MUTATIONS,
    });
    assert.deepEqual(words(problems, seed), []);
    const changing = [...outcomes.keys()].filter((outcome) => outcome.endsWith(" ok"));
    const reading = ["get", "list", "history", "changes", "verify", "stats"].length + 1;
    assert.equal(changing.length, OPERATION_NAMES.length - reading, changing.join(", "));
  });

  it("leaves a coordinator that still works", async () => {
    assert.equal(await everydayProblem(target.connection), null);
  });
});

describe("garbage of an agent with an account of its own", () => {
  it("is answered once each, and changes nothing", async (test) => {
    await using target = await ProcessTarget.start(1, true);
    const seed = randomInt(2 ** 31);
    test.diagnostic(`npm run fuzz -- --secured --seed ${seed}`);
    const garbage = messagesOf(HOSTILE, AGENT_PAYLOAD);
    const { problems, outcomes } = await runFuzz(target, garbage, { seed, messages: MESSAGES });
    assert.deepEqual(words(problems, seed), []);
    const seen = new Set([...outcomes.values()].flatMap((counts) => [...counts.keys()]));
    for (const outcome of ["ok", "invalid_request", "forbidden", "no responders"]) {
      assert.ok(seen.has(outcome), `${outcome} is not among ${[...seen].join(", ")}`);
    }
    assert.equal(await everydayProblem(target.connection), null);
  });
});
