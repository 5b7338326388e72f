/**
 * Sends messages that may change nothing, in rounds. After each round the buckets must be the same, byte
 * for byte, and the workers must have received exactly what was meant for them.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type BucketState, Buckets, differences } from "./bucket-state.ts";
import type { Expectation } from "./expectation.ts";
import type { FactCounts } from "./facts.ts";
import type { FuzzMessage } from "./message.ts";
import { DEADLINE_MS, Sender, type Sent } from "./sender.ts";
import type { Target } from "./target.ts";

/** Time for effects that a message should not have. */
const SETTLE_MS = 50;
const POLL_MS = 5;

export interface Problem {
  readonly what: string;
  /** The number of the message in the run with its seed; `null`: no single message is known. */
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

interface Parts {
  readonly target: Target;
  readonly buckets: Buckets;
  readonly sender: Sender;
  readonly options: Required<RoundsOptions>;
}

export class Rounds implements AsyncDisposable {
  readonly #parts: Parts;
  #before: BucketState;
  #facts: FactCounts;

  private constructor(parts: Parts, before: BucketState, facts: FactCounts) {
    this.#parts = parts;
    this.#before = before;
    this.#facts = facts;
  }

  static async open(target: Target, options: RoundsOptions = {}): Promise<Rounds> {
    const all = { settleMs: SETTLE_MS, deadlineMs: DEADLINE_MS, ...options };
    const buckets = await Buckets.open(target.buckets ?? target.connection);
    const { port, workers, login } = target;
    const sender = await Sender.open({ ...all, port, workers, login });
    const parts = { target, buckets, sender, options: all };
    return new Rounds(parts, await buckets.state(), await target.facts());
  }

  async play(
    chosen: readonly Numbered[],
  ): Promise<{ readonly sent: readonly Sent[]; readonly problems: readonly Problem[] }> {
    const { buckets, sender, options } = this.#parts;
    const sent = await sender.sendAll(chosen);
    const problems: Problem[] = sent.flatMap(({ problem: what, message }, i) => {
      return what === null ? [] : [{ what, number: chosen[i]?.number ?? null, message }];
    });
    problems.push(...(await this.#factProblems(chosen)).map(unattributed));
    await delay(options.settleMs);
    for (const { message = null, text } of sender.surplus()) {
      const number = chosen.find((one) => one.message === message)?.number ?? null;
      problems.push({ what: `more than one answer: ${text}`, number, message });
    }
    const after = await buckets.state();
    const changed = differences(this.#before, after);
    if (changed.length > 0)
      problems.push(unattributed(`a bucket changed:\n  ${changed.join("\n  ")}`));
    this.#before = after;
    const { error } = sender;
    if (error !== null) problems.push(unattributed(`NATS ended the connection: ${error}`));
    return { sent, problems };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.sender[Symbol.asyncDispose]();
  }

  /** Compares what the workers report of the round with what was sent. */
  async #factProblems(chosen: readonly Numbered[]): Promise<string[]> {
    const { target, options } = this.#parts;
    const before = this.#facts;
    const meant = wordsOf(countsOf(chosen));
    const seen = (now: FactCounts): string =>
      wordsOf({ requests: now.requests - before.requests, dropped: now.dropped - before.dropped });
    const deadline = performance.now() + options.deadlineMs;
    let facts = await target.facts();
    while (seen(facts) !== meant && performance.now() < deadline) {
      if (facts.alarms.length > before.alarms.length) break;
      await delay(POLL_MS);
      facts = await target.facts();
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
    const answersItself = expected.kind === "answer" && message.reply === "own";
    if (expected.kind === "dropped" || answersItself) dropped++;
  }
  return { requests, dropped };
}
