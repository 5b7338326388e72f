/** How large the streams of the buckets are, and how many tasks there are. */
import { jetstreamManager, type JetStreamManager, type StreamInfo } from "@nats-io/jetstream";
import { TaskClient } from "../../src/client/task-client.ts";
import { type Connection, connectNats } from "../../src/nats/connection.ts";
import { MARKER_TTL_SECONDS, SHORT_MARKER_TTL_SECONDS } from "../../src/nats/kv-buckets.ts";
import { LEASES_BUCKET, SESSIONS_BUCKET, TASKS_BUCKET } from "../../src/nats/kv-buckets.ts";
import { createRequester } from "../../src/nats/request.ts";
import { GROUPS, levelsAfter, NONE_LEFT } from "./figures.ts";
import type { Group, Rule } from "./series.ts";
import { TrailingWrites } from "./trailing-writes.ts";

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

/** A bucket, and for how long a message that is not needed any more may stay in its stream, in seconds. */
class Bucket {
  readonly name: string;
  readonly #seconds: number;
  readonly #writes: TrailingWrites;

  constructor(name: string, retentionSeconds: number) {
    this.name = name;
    const markers = name === TASKS_BUCKET ? MARKER_TTL_SECONDS : SHORT_MARKER_TTL_SECONDS;
    this.#seconds = retentionSeconds + markers;
    this.#writes = new TrailingWrites(this.#seconds);
  }

  /**
   * Its size follows the load, which is now faster and now slower. Judged is therefore what is there of
   * what was written within the time that it may stay: a stream in which nothing is removed has more of
   * it with every hour.
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

/** Differences that the mixture of the load makes from one moment to the next. */
const [SHARE_NOISE, BYTES_NOISE] = [0.05, 10];

export class Buckets implements AsyncDisposable {
  readonly #connection: Connection;
  readonly #streams: JetStreamManager;
  readonly #tasks: TaskClient;
  readonly #buckets: readonly Bucket[];

  private constructor(connection: Connection, streams: JetStreamManager, retentionSeconds: number) {
    this.#connection = connection;
    this.#streams = streams;
    this.#tasks = new TaskClient(createRequester(connection), { deadlineMs: 0 });
    this.#buckets = [TASKS_BUCKET, LEASES_BUCKET, SESSIONS_BUCKET].map(
      (name) => new Bucket(name, retentionSeconds),
    );
  }

  static async connect(
    urls: readonly string[],
    options: { readonly retentionSeconds: number; readonly timeoutMs: number },
  ): Promise<Buckets> {
    const connection = await connectNats({
      servers: urls,
      name: "sampler",
      reconnectTimeWait: 0.5,
    });
    const { retentionSeconds, timeoutMs: timeout } = options;
    const streams = await jetstreamManager(connection, { checkAPI: false, timeout });
    return new Buckets(connection, streams, retentionSeconds);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
  }

  /** What does not answer in time is left out. */
  async read(timeoutMs: number): Promise<BucketFigures> {
    const nothing = (): null => null;
    const [stats, ...streams] = await Promise.all([
      this.#tasks.stats({ timeoutMs }).catch(nothing),
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

/** A task that was removed leaves a marker behind, for a quarter of an hour. */
function recordsAndMarkers({ state }: StreamInfo, tasks: number): Figure[] {
  const markers = Math.max(0, (state.num_subjects ?? 0) - tasks);
  const { messages: group } = GROUPS;
  return [
    { name: "tasks: records", group, value: state.messages - markers, rule: null },
    { name: "tasks: markers", group, value: markers, rule: null },
  ];
}
