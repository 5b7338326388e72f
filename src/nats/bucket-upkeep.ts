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
import { JetStreamApiCodes, JetStreamApiError, type StreamConfig } from "@nats-io/jetstream";
import {
  type BucketConfig,
  type BucketReports,
  checkBucket,
  ensureBucket,
  TASKS_BUCKET,
} from "./kv-buckets.ts";
import type { JetStreamManager } from "@nats-io/jetstream";

export class BucketUpkeep {
  readonly #jsm: JetStreamManager;
  readonly #configs: ReadonlyMap<string, BucketConfig>;
  readonly #reports: BucketReports;

  constructor(jsm: JetStreamManager, configs: readonly BucketConfig[], reports: BucketReports) {
    this.#jsm = jsm;
    this.#configs = new Map(configs.map((config) => [config.name, config]));
    this.#reports = reports;
  }

  /** Makes the bucket if it is missing. @throws ConnectionError if it cannot, or if what is there does not fit */
  async make(stream: string): Promise<void> {
    const config = this.#configs.get(stream);
    if (config !== undefined) await ensureBucket(this.#jsm, config, this.#reports);
  }

  /** @throws ConnectionError that names the settings that don't fit */
  check(stream: string, existing: StreamConfig): void {
    const config = this.#configs.get(stream);
    if (config !== undefined) checkBucket(config, existing, this.#reports);
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
