/** Sends messages, many at a time, and says of each what came of it and what is wrong with that. */
import { setTimeout as delay } from "node:timers/promises";
import { isNobody, type Judged, judgeAnswer, parseObject } from "./answers.ts";
import type { Expectation } from "./expectation.ts";
import { type FuzzMessage, replySubject } from "./message.ts";
import { type Arrived, Wire } from "./wire.ts";

/** What docs/protocol.md tells askers to wait. */
export const DEADLINE_MS = 15_000;
/** Together less than what makes a worker a slow consumer to NATS, and less than its limit in flight. */
const MAX_BYTES_UNDER_WAY = 8 * 1024 * 1024;
const MAX_UNDER_WAY = 256;

/** Root of the subjects that answers go to. */
const ROOT = "fuzz";

export interface Sent {
  readonly message: FuzzMessage;
  readonly outcome: string;
  readonly problem: string | null;
  readonly milliseconds: number;
  readonly json: Judged["json"];
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
}

export class Sender implements AsyncDisposable {
  readonly #wire: Wire;
  readonly #waiting: Map<number, Waiting>;
  readonly #surplus: Map<number, string>;
  readonly #options: SenderOptions;
  readonly #sent = new Map<number, FuzzMessage>();
  #serial = 0;
  #bytes = 0;
  #underWay = 0;

  private constructor(
    wire: Wire,
    waiting: Map<number, Waiting>,
    surplus: Map<number, string>,
    options: SenderOptions,
  ) {
    this.#wire = wire;
    this.#waiting = waiting;
    this.#surplus = surplus;
    this.#options = options;
  }

  static async open(options: SenderOptions): Promise<Sender> {
    const waiting = new Map<number, Waiting>();
    const surplus = new Map<number, string>();
    const wire = await Wire.open(options.port, (arrived) => {
      const serial = Number(arrived.subject.split(".")[1]);
      const one = waiting.get(serial);
      if (one === undefined) surplus.set(serial, arrived.payload.toString("utf8", 0, 200));
      else if (one.answers.push(arrived) === one.wanted) one.resolve();
    });
    wire.subscribe(`${ROOT}.>`);
    await wire.flush();
    return new Sender(wire, waiting, surplus, options);
  }

  /** Sends all, in order, and resolves when each was answered or its time is over. */
  async sendAll(
    messages: readonly { readonly message: FuzzMessage; readonly expected: Expectation }[],
  ): Promise<Sent[]> {
    const results: Promise<Sent>[] = [];
    for (const { message, expected } of messages) {
      while (
        this.#underWay > 0 &&
        (this.#underWay >= MAX_UNDER_WAY ||
          this.#bytes + message.payload.length > MAX_BYTES_UNDER_WAY)
      ) {
        await delay(1);
      }
      results.push(this.#send(message, expected));
    }
    const sent = await Promise.all(results);
    await this.#wire.flush();
    return sent;
  }

  /** Answers that came after their message had all that it was to get. To be asked once all is over. */
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

  async #send(message: FuzzMessage, expected: Expectation): Promise<Sent> {
    const serial = this.#serial++;
    const wanted = this.#wanted(expected);
    const startedAt = performance.now();
    const answered = this.#answers(serial, wanted);
    this.#sent.set(serial, message);
    this.#bytes += message.payload.length;
    this.#underWay++;
    const { subject, headers, payload } = message;
    this.#wire.publish(subject, replySubject(message, ROOT, serial), headers, payload);
    const answers = await answered;
    this.#bytes -= message.payload.length;
    this.#underWay--;
    const milliseconds = performance.now() - startedAt;
    const judged = judge(answers, expected, wanted);
    return { message, ...judged, milliseconds };
  }

  #wanted(expected: Expectation): number {
    if (expected.kind === "discovery") return this.#options.workers;
    return "heard" in expected && expected.heard ? 1 : 0;
  }

  async #answers(serial: number, wanted: number): Promise<readonly Arrived[]> {
    if (wanted === 0) return [];
    const answers: Arrived[] = [];
    const { promise, resolve } = withResolvers();
    this.#waiting.set(serial, { wanted, answers, resolve });
    const timer = setTimeout(resolve, this.#options.deadlineMs ?? DEADLINE_MS);
    await promise;
    clearTimeout(timer);
    this.#waiting.delete(serial);
    return answers;
  }
}

function judge(answers: readonly Arrived[], expected: Expectation, wanted: number): Judged {
  const [first] = answers;
  if (answers.length < wanted) {
    return { outcome: "no answer", problem: `${answers.length} of ${wanted} answers`, json: null };
  }
  if (first === undefined) return { outcome: nothingFor(expected), problem: null, json: null };
  if (expected.kind === "answer") return judgeAnswer(first, expected);
  if (expected.kind === "nobody") {
    if (isNobody(first.headers, first.payload)) {
      return { outcome: "no responders", problem: null, json: null };
    }
    if (expected.isRefused) {
      return judgeAnswer(first, { operation: null, codes: ["invalid_request"] });
    }
    const problem = `answered ${first.payload.toString("utf8", 0, 200)}`;
    return { outcome: "an answer", problem, json: null };
  }
  const wrong = answers.find(
    ({ payload }) => typeof parseObject(payload.toString())?.type !== "string",
  );
  const problem = wrong === undefined ? null : `answered ${wrong.payload.toString("utf8", 0, 200)}`;
  return { outcome: "discovery", problem, json: null };
}

function nothingFor(expected: Expectation): string {
  return expected.kind === "answer" ? "answered elsewhere" : expected.kind;
}

function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
