/**
 * Decides what happens if a bucket is deleted while workers run, or if somebody else creates it again.
 *
 * - `leases` and `sessions` can be restored: workers restore leases from the tasks, and sessions register
 *   again. So a worker that finds one of these buckets missing creates it.
 * - So it does with `principals`, although only `auth push` or an operator can restore what was in it: without
 *   the bucket, agents are agents still, with the limits of everybody.
 * - `tasks` is data. A running worker does not create an empty bucket in its place, because that would look
 *   like a project without tasks. The worker waits until the bucket is restored, or until a worker that
 *   starts creates an empty one, as the first worker does.
 * - A bucket that somebody else has created must have the settings that the protocol needs.
 */
import { type JetStreamManager, type StreamInfo } from "@nats-io/jetstream";
import { isStreamMissing } from "./find-stream.ts";
import {
  type BucketConfig,
  type BucketReports,
  checkBucket,
  ensureBucket,
  TASKS_BUCKET,
} from "./kv-buckets.ts";

export interface UpkeepReports extends BucketReports {
  /** The bucket was deleted, and this worker has created it again. */
  readonly remade: (bucket: string) => void;
  /** The bucket was deleted, and somebody else created it again at this time. */
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

  /** Creates the bucket if it is missing. @throws ConnectionError if that fails, or if its settings are wrong */
  async make(stream: string): Promise<void> {
    const config = this.#configs.get(stream);
    if (config !== undefined) await ensureBucket(this.#jsm, config, this.#reports);
  }

  /** Like `make`, for a bucket that was there before: reported as `remade`. */
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

  /** Whether a running worker creates the bucket if it is missing. */
  isRemade(stream: string): boolean {
    return this.#configs.has(stream) && stream !== `KV_${TASKS_BUCKET}`;
  }
}

/** Whether the error, or one of its causes, is a server's reply that there is no such stream. */
export function saysNoStream(error: unknown): boolean {
  if (isStreamMissing(error)) return true;
  return error instanceof Error && error.cause !== undefined && saysNoStream(error.cause);
}
