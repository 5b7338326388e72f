/**
 * Plays messages that may change nothing. After each round the buckets have to be what they were, byte
 * for byte, and the workers have to have seen exactly what was meant for them.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type BucketState, Buckets, differences } from "./bucket-state.ts";
import type { Expectation } from "./expectation.ts";
import type { FactCounts } from "./facts.ts";
import type { FuzzMessage } from "./message.ts";
import { DEADLINE_MS, Sender, type Sent } from "./sender.ts";
import type { Target } from "./target.ts";

/** For what a message should not have caused to show. */
const SETTLE_MS = 50;
const POLL_MS = 5;

export interface Problem {
  readonly what: string;
  /** In the run with its seed; `null`: no single message is known to have caused it. */
  readonly number: number | null;
  readonly message: FuzzMessage | null;
}

export interface Numbered {
  readonly number: number;
  readonly message: FuzzMessage;
  readonly expected: Expectation;
}

export interface RoundsOptions {
  /** How long an answer may take, and then the counts of the workers. */
  readonly deadlineMs?: number;
  readonly settleMs?: number;
}

export class Rounds implements AsyncDisposable {
  readonly #target: Target;
  readonly #buckets: Buckets;
  readonly #sender: Sender;
  readonly #options: Required<RoundsOptions>;
  #before: BucketState;
  #facts: FactCounts;

  private constructor(
    target: Target,
    buckets: Buckets,
    sender: Sender,
    options: Required<RoundsOptions>,
    before: BucketState,
    facts: FactCounts,
  ) {
    this.#target = target;
    this.#buckets = buckets;
    this.#sender = sender;
    this.#options = options;
    this.#before = before;
    this.#facts = facts;
  }

  static async open(target: Target, options: RoundsOptions = {}): Promise<Rounds> {
    const all = { settleMs: SETTLE_MS, deadlineMs: DEADLINE_MS, ...options };
    const buckets = await Buckets.open(target.connection);
    const { port, workers } = target;
    const sender = await Sender.open({ ...all, port, workers });
    const [before, facts] = [await buckets.state(), await target.facts()];
    return new Rounds(target, buckets, sender, all, before, facts);
  }

  async play(
    chosen: readonly Numbered[],
  ): Promise<{ readonly sent: readonly Sent[]; readonly problems: readonly Problem[] }> {
    const sent = await this.#sender.sendAll(chosen);
    const problems: Problem[] = sent.flatMap(({ problem, message }, i) => {
      return problem === null
        ? []
        : [{ what: problem, number: chosen[i]?.number ?? null, message }];
    });
    problems.push(...(await this.#told(chosen)).map(unattributed));
    await delay(this.#options.settleMs);
    for (const { message = null, text } of this.#sender.surplus()) {
      const number = chosen.find((one) => one.message === message)?.number ?? null;
      problems.push({ what: `more than one answer: ${text}`, number, message });
    }
    const after = await this.#buckets.state();
    const changed = differences(this.#before, after);
    if (changed.length > 0)
      problems.push(unattributed(`a bucket changed:\n  ${changed.join("\n  ")}`));
    this.#before = after;
    const { error } = this.#sender;
    if (error !== null) problems.push(unattributed(`NATS ended the connection: ${error}`));
    return { sent, problems };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sender[Symbol.asyncDispose]();
  }

  /** What is wrong with what the workers told of the round. */
  async #told(chosen: readonly Numbered[]): Promise<string[]> {
    const before = this.#facts;
    const meant = wordsOf(countsOf(chosen));
    const seen = (now: FactCounts): string =>
      wordsOf({ requests: now.requests - before.requests, dropped: now.dropped - before.dropped });
    const deadline = performance.now() + this.#options.deadlineMs;
    let facts = await this.#target.facts();
    while (seen(facts) !== meant && performance.now() < deadline) {
      if (facts.alarms.length > before.alarms.length) break;
      await delay(POLL_MS);
      facts = await this.#target.facts();
    }
    this.#facts = facts;
    const problems = facts.alarms.slice(before.alarms.length);
    if (seen(facts) !== meant) problems.push(`the workers had ${seen(facts)} instead of ${meant}`);
    return problems;
  }
}

export function unattributed(what: string): Problem {
  return { what, number: null, message: null };
}

type Counts = Omit<FactCounts, "alarms">;

function wordsOf({ requests, dropped }: Counts): string {
  return `${requests} requests and ${dropped} to drop`;
}

function countsOf(chosen: readonly Numbered[]): Counts {
  let [requests, dropped] = [0, 0];
  for (const { expected, message } of chosen) {
    if (expected.kind === "answer") requests++;
    // The answer is a message to the same subject, and has no reply subject itself.
    if (expected.kind === "dropped" || (expected.kind === "answer" && message.reply === "own")) {
      dropped++;
    }
  }
  return { requests, dropped };
}
