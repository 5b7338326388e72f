/**
 * What becomes of a bucket that is deleted while workers run, or made again by somebody else.
 *
 * - What `leases` and `sessions` hold can be made again from the tasks and by the sessions: a worker that
 *   misses one of them makes it.
 * - `tasks` is data. A worker that has seen it does not make an empty one in its place: that would pass
 *   for a project without tasks. It waits until the bucket is restored, or until a worker that starts
 *   makes an empty one, as the first worker does.
 * - A bucket that somebody else has made has to have the settings that the protocol relies on.
 */
import {
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  type StreamInfo,
} from "@nats-io/jetstream";
import {
  type BucketConfig,
  type BucketReports,
  checkBucket,
  ensureBucket,
  TASKS_BUCKET,
} from "./kv-buckets.ts";

export interface UpkeepReports extends BucketReports {
  /** It was deleted, and this worker has made it again. */
  readonly remade: (bucket: string) => void;
  /** It was deleted, and somebody else has made it again at this time. */
  readonly replaced: (bucket: string, madeAt: string) => void;
}

export class BucketUpkeep {
  readonly #jsm: JetStreamManager;
  readonly #configs: ReadonlyMap<string, BucketConfig>;
  readonly #reports: UpkeepReports;

  constructor(jsm: JetStreamManager, configs: readonly BucketConfig[], reports: UpkeepReports) {
    this.#jsm = jsm;
    this.#configs = new Map(configs.map((config) => [config.name, config]));
    this.#reports = reports;
  }

  /** Makes the bucket if it is missing. @throws ConnectionError if it cannot, or if what is there does not fit */
  async make(stream: string): Promise<void> {
    const config = this.#configs.get(stream);
    if (config !== undefined) await ensureBucket(this.#jsm, config, this.#reports);
  }

  /** The same, of one that was there before. */
  async remake(stream: string): Promise<void> {
    const config = this.#configs.get(stream);
    const { warn, remade } = this.#reports;
    if (config !== undefined) await ensureBucket(this.#jsm, config, { warn, made: remade });
  }

  /** @throws ConnectionError that names the settings that don't fit */
  checkReplacement(stream: string, { created, config: existing }: StreamInfo): void {
    const config = this.#configs.get(stream);
    if (config === undefined) return;
    checkBucket(config, existing, this.#reports);
    this.#reports.replaced(config.name.slice("KV_".length), created);
  }

  /** Whether a worker that runs makes it when it is missing. */
  isRemade(stream: string): boolean {
    return this.#configs.has(stream) && stream !== `KV_${TASKS_BUCKET}`;
  }
}

/** Whether this is the servers' word that there is no such stream, or was caused by it. */
export function saysNoStream(error: unknown): boolean {
  if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound) {
    return true;
  }
  return error instanceof Error && error.cause !== undefined && saysNoStream(error.cause);
}
