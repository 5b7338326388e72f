/** The sizes of the streams of the buckets, and the number of tasks. */
import { jetstreamManager, type JetStreamManager, type StreamInfo } from "@nats-io/jetstream";
import { MARKER_TTL_SECONDS, SHORT_MARKER_TTL_SECONDS } from "../../src/nats/kv-buckets.ts";
import { LEASES_BUCKET, SESSIONS_BUCKET, TASKS_BUCKET } from "../../src/nats/kv-buckets.ts";
import { TaskConnection } from "../lab/clients.ts";
import { GROUPS, levelsAfter, NONE_LEFT } from "./figures.ts";
import type { Group, Rule } from "./series.ts";

export interface Figure {
  readonly name: string;
  readonly group: Group;
  readonly value: number;
  readonly rule: Rule | null;
}

export interface BucketFigures {
  readonly figures: readonly Figure[];
  /** By status. */
  readonly tasks: Readonly<Record<string, number>>;
}

/** Counts the messages that were written to a stream in the last `seconds`, by its last sequence. */
export class TrailingWrites {
  readonly #seconds: number;
  readonly #seen: { readonly at: number; readonly sequence: number }[] = [];

  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  /** `null` while the calls do not yet cover that time. */
  add(at: number, sequence: number): number | null {
    this.#seen.push({ at, sequence });
    // The last entry that is old enough stays: the count starts there.
    while ((this.#seen[1]?.at ?? Infinity) <= at - this.#seconds) this.#seen.shift();
    const [oldest] = this.#seen;
    if (oldest === undefined || oldest.at > at - this.#seconds) return null;
    return sequence - oldest.sequence;
  }
}

class Bucket {
  readonly name: string;
  /** How long an obsolete message may stay in the stream. */
  readonly #seconds: number;
  readonly #writes: TrailingWrites;

  constructor(name: string, retentionSeconds: number) {
    this.name = name;
    const markers = name === TASKS_BUCKET ? MARKER_TTL_SECONDS : SHORT_MARKER_TTL_SECONDS;
    this.#seconds = retentionSeconds + markers;
    this.#writes = new TrailingWrites(this.#seconds);
  }

  /**
   * The size follows the load, which varies. So the rule judges the size per message written in the time
   * that messages may stay. It grows in a stream from which nothing is removed.
   */
  figures({ state }: StreamInfo): Figure[] {
    const { name } = this;
    const { consumer_count: consumers, messages, bytes, last_seq } = state;
    const figures: Figure[] = [
      { name, group: GROUPS.consumers, value: consumers, rule: NONE_LEFT },
      { name, group: GROUPS.messages, value: messages, rule: null },
      { name, group: GROUPS.bytes, value: bytes / 1024, rule: null },
    ];
    const written = this.#writes.add(performance.now() / 1000, last_seq);
    if (written === null || written === 0) return figures;
    return [
      ...figures,
      {
        name,
        group: GROUPS.messagesKept,
        value: messages / written,
        rule: levelsAfter(this.#seconds, SHARE_NOISE),
      },
      {
        name,
        group: GROUPS.bytesKept,
        value: bytes / written,
        rule: levelsAfter(this.#seconds, BYTES_NOISE),
      },
    ];
  }
}

/** The variation that the mixture of the load causes. */
const [SHARE_NOISE, BYTES_NOISE] = [0.05, 10];

export class Buckets implements AsyncDisposable {
  readonly #client: TaskConnection;
  readonly #streams: JetStreamManager;
  readonly #buckets: readonly Bucket[];

  private constructor(client: TaskConnection, streams: JetStreamManager, retentionSeconds: number) {
    this.#client = client;
    this.#streams = streams;
    this.#buckets = [TASKS_BUCKET, LEASES_BUCKET, SESSIONS_BUCKET].map(
      (name) => new Bucket(name, retentionSeconds),
    );
  }

  static async connect(
    urls: readonly string[],
    options: { readonly retentionSeconds: number; readonly timeoutMs: number },
  ): Promise<Buckets> {
    const client = await TaskConnection.open(urls, "sampler", { deadlineMs: 0 });
    const { retentionSeconds, timeoutMs: timeout } = options;
    const streams = await jetstreamManager(client.connection, { checkAPI: false, timeout });
    return new Buckets(client, streams, retentionSeconds);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }

  /** Leaves out what does not answer in time. */
  async read(timeoutMs: number): Promise<BucketFigures> {
    const nothing = (): null => null;
    const [stats, ...streams] = await Promise.all([
      this.#client.tasks.stats({ timeoutMs }).catch(nothing),
      ...this.#buckets.map(({ name }) => this.#streams.streams.info(`KV_${name}`).catch(nothing)),
    ]);
    const figures = streams.flatMap((info, i) =>
      info === null ? [] : (this.#buckets[i]?.figures(info) ?? []),
    );
    const [tasks = null] = streams;
    if (stats !== null && tasks !== null) figures.push(...recordsAndMarkers(tasks, stats.total));
    return { figures, tasks: stats?.tasks ?? {} };
  }
}

/** A removed task leaves a marker behind for a quarter of an hour. */
function recordsAndMarkers({ state }: StreamInfo, tasks: number): Figure[] {
  const markers = Math.max(0, (state.num_subjects ?? 0) - tasks);
  const { messages: group } = GROUPS;
  return [
    { name: "tasks: records", group, value: state.messages - markers, rule: null },
    { name: "tasks: markers", group, value: markers, rule: null },
  ];
}
