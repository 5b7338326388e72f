/** All content of the buckets that a client can see, byte for byte. */
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";

const STREAMS = ["KV_tasks", "KV_leases", "KV_sessions", "KV_principals"] as const;

/** A line for each stream, for the settings of each, and for each message. */
export type BucketState = readonly string[];

export type Sequences = readonly [tasks: number, leases: number, sessions: number];

export class Buckets {
  readonly #jsm: JetStreamManager;

  private constructor(jsm: JetStreamManager) {
    this.#jsm = jsm;
  }

  static async open(connection: NatsConnection): Promise<Buckets> {
    return new Buckets(await jetstreamManager(connection));
  }

  /** The last sequence of each stream, which counts all its writes. */
  async sequences(): Promise<Sequences> {
    const infos = await Promise.all(STREAMS.map((stream) => this.#jsm.streams.info(stream)));
    const [tasks = 0, leases = 0, sessions = 0] = infos.map(({ state }) => state.last_seq);
    return [tasks, leases, sessions];
  }

  async state(): Promise<BucketState> {
    const names: string[] = [];
    for await (const { config } of this.#jsm.streams.list()) names.push(config.name);
    const lines = [`streams ${names.sort().join(" ")}`];
    for (const stream of STREAMS) {
      const { state, config } = await this.#jsm.streams.info(stream);
      const { first_seq: first, last_seq: last, messages, bytes } = state;
      lines.push(`${stream} ${first}..${last}, ${messages} messages, ${bytes} bytes`);
      lines.push(`${stream} ${JSON.stringify(config)}`);
      for (let seq = first; seq <= last; seq++) lines.push(await this.#message(stream, seq));
    }
    return lines;
  }

  /** The text of one record. */
  async record(sequence: number): Promise<string | null> {
    const message = await this.#jsm.streams.getMessage("KV_tasks", { seq: sequence });
    return message?.string() ?? null;
  }

  async #message(stream: string, seq: number): Promise<string> {
    const message = await this.#jsm.streams.getMessage(stream, { seq }).catch(() => null);
    if (message === null) return `${stream} ${seq} is gone`;
    const data = Buffer.from(message.data).toString("base64");
    const headers = JSON.stringify([...message.header]);
    return `${stream} ${seq} ${message.subject} ${message.time.toISOString()} ${headers} ${data}`;
  }
}

const MOST_SHOWN = 12;
const LONGEST_SHOWN = 300;

/** The lines that only one of them has, shortened. */
export function differences(before: BucketState, after: BucketState): string[] {
  const [old, now] = [new Set(before), new Set(after)];
  const lines = [
    ...before.filter((line) => !now.has(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !old.has(line)).map((line) => `+ ${line}`),
  ];
  return lines.slice(0, MOST_SHOWN).map((line) => line.slice(0, LONGEST_SHOWN));
}
