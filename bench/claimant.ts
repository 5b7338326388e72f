/** One who makes tasks and claims them, one at a time, and takes the time of each claim. */
import type { NatsConnection } from "@nats-io/transport-node";
import { MAX_TTL_SECONDS } from "../src/protocol/fields.ts";

const TIMEOUT_MS = 60_000;

export class Claimant {
  readonly #connection: NatsConnection;
  #made = 0;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  async create(id: string): Promise<void> {
    await this.#ask(`tasks.create.${id}`, { title: "A task of the benchmark" });
  }

  /** @returns the record, as NATS carries it */
  async claim(id: string): Promise<string> {
    const body = { session_id: "claimant", ttl_seconds: MAX_TTL_SECONDS };
    return JSON.stringify((await this.#ask(`tasks.claim.${id}`, body)).task);
  }

  /** Milliseconds, of each of so many claims of tasks that are made for it. */
  async claims(count: number): Promise<number[]> {
    const times: number[] = [];
    while (times.length < count) times.push(await this.#timed());
    return times;
  }

  /** @returns what ends it, and resolves with the milliseconds of each */
  claimsUntilStopped(): () => Promise<number[]> {
    let isStopped = false;
    const claim = async (): Promise<number[]> => {
      const times: number[] = [];
      while (!isStopped) times.push(await this.#timed());
      return times;
    };
    const claiming = claim();
    return () => {
      isStopped = true;
      return claiming;
    };
  }

  async #timed(): Promise<number> {
    const id = `others-${++this.#made}`;
    await this.create(id);
    const from = performance.now();
    await this.claim(id);
    return performance.now() - from;
  }

  async #ask(subject: string, body: object): Promise<{ readonly task: unknown }> {
    const options = { timeout: TIMEOUT_MS };
    const message = await this.#connection.request(subject, JSON.stringify(body), options);
    const reply = message.json<{ readonly ok: boolean; readonly task: unknown }>();
    if (!reply.ok) throw new Error(`${subject}: ${message.string()}`);
    return reply;
  }
}
