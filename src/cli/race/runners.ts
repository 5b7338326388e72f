/** The sessions of a race. Each has a connection of its own, as an agent has. */
import { type OpenCalls, openServedCalls } from "../shared/client.ts";
import type { ConnectionOptions } from "../shared/connection-options.ts";
import type { Answer } from "./figures.ts";
import { isTaskError } from "../shared/error-report.ts";

const CONNECTS_AT_A_TIME = 25;
const DEFAULT_TIMEOUT_MS = 5_000;

export class Runners implements AsyncDisposable {
  readonly #open: OpenCalls[] = [];
  readonly #name: string;
  readonly #timeoutMs: number;

  private constructor(name: string, { timeout = DEFAULT_TIMEOUT_MS }: ConnectionOptions) {
    this.#name = name;
    this.#timeoutMs = timeout;
  }

  /** @param name begins the id of every session, and is the capability of each */
  static async connect(name: string, count: number, options: ConnectionOptions): Promise<Runners> {
    const runners = new Runners(name, options);
    try {
      while (runners.#open.length < count) {
        const more = Math.min(CONNECTS_AT_A_TIME, count - runners.#open.length);
        await runners.#connect(more, options);
      }
      return runners;
    } catch (error) {
      await runners[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Every session claims the task at once. Resolves when all are answered. */
  claim(taskId: string, round: number, signal: AbortSignal): Promise<Answer[]> {
    // Another session is the first to send each time.
    const start = round % this.#open.length;
    const order = [...this.#open.keys()];
    const rotated = [...order.slice(start), ...order.slice(0, start)];
    return Promise.all(rotated.map((index) => this.#claim(index, taskId, signal)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#open.map(({ connection }) => connection.close()));
  }

  async #connect(count: number, options: ConnectionOptions): Promise<void> {
    const opened = await Promise.allSettled(
      Array.from({ length: count }, async () => {
        this.#open.push(await openServedCalls(options));
      }),
    );
    for (const result of opened) if (result.status === "rejected") throw result.reason;
  }

  /** One request without a retry, so that the time is that of one request. */
  async #claim(index: number, taskId: string, signal: AbortSignal): Promise<Answer> {
    const runner = this.#open[index];
    if (runner === undefined) throw new RangeError(`there is no session ${index}`);
    const session = `${this.#name}-session-${index + 1}`;
    const body = { session_id: session, capabilities: [this.#name] };
    const once = { timeoutMs: this.#timeoutMs, deadlineMs: 0, signal };
    const sentAt = performance.now();
    const answer = (refusal: string | null): Answer => {
      return { session, refusal, ms: performance.now() - sentAt };
    };
    try {
      await runner.calls.call("tasks.claim", taskId, () => body, once);
      return answer(null);
    } catch (error) {
      if (!isTaskError(error)) throw error;
      return answer(error.code);
    }
  }
}
