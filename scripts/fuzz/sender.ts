/** Sends messages, many at a time, and reports for each what was answered and what is wrong with that. */
import { setTimeout as delay } from "node:timers/promises";
import { isNobody, type Judged, judgeAnswer, parseObject } from "./answers.ts";
import type { Expectation } from "./expectation.ts";
import { type FuzzMessage, replySubject } from "./message.ts";
import { type Arrived, Wire, type WireOptions } from "./wire.ts";

/** How long a client waits, by docs/protocol.md. */
export const DEADLINE_MS = 15_000;
/** Fewer than the limit in flight of a worker, and too few bytes for NATS to call it a slow consumer. */
const MAX_IN_FLIGHT = 256;
const MAX_BYTES_IN_FLIGHT = 8 * 1024 * 1024;

/** Root of the subjects that answers go to. */
const ROOT = "fuzz";

export interface Sent extends Judged {
  readonly message: FuzzMessage;
  readonly milliseconds: number;
}

interface Waiting {
  readonly wanted: number;
  readonly answers: Arrived[];
  readonly resolve: () => void;
}

export interface SenderOptions {
  readonly port: number;
  readonly workers: number;
  readonly deadlineMs?: number;
  readonly login?: WireOptions["login"];
}

export class Sender implements AsyncDisposable {
  readonly #options: SenderOptions;
  readonly #waiting = new Map<number, Waiting>();
  readonly #surplus = new Map<number, string>();
  readonly #sent = new Map<number, FuzzMessage>();
  #wire!: Wire;
  #serial = 0;
  #bytes = 0;
  #inFlight = 0;

  private constructor(options: SenderOptions) {
    this.#options = options;
  }

  static async open(options: SenderOptions): Promise<Sender> {
    const sender = new Sender(options);
    const receive = (arrived: Arrived): void => {
      const serial = Number(arrived.subject.split(".")[1]);
      const one = sender.#waiting.get(serial);
      if (one === undefined) sender.#surplus.set(serial, textOf(arrived));
      else if (one.answers.push(arrived) === one.wanted) one.resolve();
    };
    sender.#wire = await Wire.open(options.port, receive, { login: options.login });
    sender.#wire.subscribe(`${ROOT}.>`);
    await sender.#wire.flush();
    return sender;
  }

  /** Sends all in order. Resolves when each was answered, or its time is over. */
  async sendAll(
    messages: readonly { readonly message: FuzzMessage; readonly expected: Expectation }[],
  ): Promise<Sent[]> {
    const results: Promise<Sent>[] = [];
    for (const { message, expected } of messages) {
      while (this.#inFlight > 0 && !this.#hasRoomFor(message)) await delay(1);
      results.push(this.#send(message, expected));
    }
    const sent = await Promise.all(results);
    await this.#wire.flush();
    return sent;
  }

  /** Answers that came after all those that their message needed. Asked when everything was answered. */
  surplus(): { readonly message: FuzzMessage | undefined; readonly text: string }[] {
    const found = [...this.#surplus].map(([serial, text]) => {
      return { message: this.#sent.get(serial), text };
    });
    this.#surplus.clear();
    this.#sent.clear();
    return found;
  }

  get error(): string | null {
    return this.#wire.error ?? (this.#wire.isClosed ? "closed" : null);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#wire[Symbol.asyncDispose]();
  }

  #hasRoomFor({ payload }: FuzzMessage): boolean {
    const bytes = this.#bytes + payload.length;
    return this.#inFlight < MAX_IN_FLIGHT && bytes <= MAX_BYTES_IN_FLIGHT;
  }

  async #send(message: FuzzMessage, expected: Expectation): Promise<Sent> {
    const serial = this.#serial++;
    const wanted = this.#wanted(expected);
    const startedAt = performance.now();
    const answered = this.#answers(serial, wanted);
    this.#sent.set(serial, message);
    this.#bytes += message.payload.length;
    this.#inFlight++;
    const { subject, headers, payload } = message;
    this.#wire.publish(subject, replySubject(message, ROOT, serial), headers, payload);
    const answers = await answered;
    this.#bytes -= message.payload.length;
    this.#inFlight--;
    const milliseconds = performance.now() - startedAt;
    return { message, ...judge(answers, expected, wanted), milliseconds };
  }

  #wanted(expected: Expectation): number {
    if (expected.kind === "discovery") return this.#options.workers;
    return "heard" in expected && expected.heard ? 1 : 0;
  }

  async #answers(serial: number, wanted: number): Promise<readonly Arrived[]> {
    if (wanted === 0) return [];
    const answers: Arrived[] = [];
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#options.deadlineMs ?? DEADLINE_MS);
      const finish = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#waiting.set(serial, { wanted, answers, resolve: finish });
    });
    this.#waiting.delete(serial);
    return answers;
  }
}

function judge(answers: readonly Arrived[], expected: Expectation, wanted: number): Judged {
  const judged = (outcome: string, problem: string | null = null): Judged => {
    return { outcome, problem, json: null };
  };
  const [first] = answers;
  if (answers.length < wanted) {
    return judged("no answer", `${answers.length} of ${wanted} answers`);
  }
  if (first === undefined) {
    return judged(expected.kind === "answer" ? "answered elsewhere" : expected.kind);
  }
  if (expected.kind === "answer") return judgeAnswer(first, expected);
  if (expected.kind === "nobody") {
    if (isNobody(first.headers, first.payload)) return judged("no responders");
    if (!expected.isRefused) return judged("an answer", `answered ${textOf(first)}`);
    return judgeAnswer(first, { operation: null, codes: ["invalid_request"] });
  }
  const wrong = answers.find(
    ({ payload }) => typeof parseObject(payload.toString())?.type !== "string",
  );
  return judged("discovery", wrong === undefined ? null : `answered ${textOf(wrong)}`);
}

function textOf({ payload }: Arrived): string {
  return payload.toString("utf8", 0, 200);
}
