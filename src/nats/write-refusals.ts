/**
 * Notices that a bucket refuses every write, although the connection is up.
 *
 * - A bucket **accepts** writes until one is refused for another reason than its revision.
 * - Then it is **doubted** until a write succeeds. A probe is written each second, so that a bucket with
 *   little traffic is judged as well. It is a marker of a removed key that is no valid id, and removes
 *   itself: no reader takes it for an entry.
 * - It **refuses** if a write is refused again when it has been doubted for some seconds. That is
 *   reported, and so is the end: the next success, or the loss of the connection, after which it is not
 *   known.
 *
 * Probes are written to no bucket that is not doubted. So one that nobody writes to is not noticed, and
 * nobody misses it.
 */

/** How long a bucket is doubted before it counts as one that refuses, in milliseconds. */
export const REFUSES_AFTER_MS = 3_000;
const PROBE_EVERY_MS = 1_000;
/** No id of a task or session has this character. */
const PROBE_KEY = "~probe";

export interface WriteRefusalsOptions {
  /** Writes a marker that removes itself to this subject; whether it succeeds is told as of any write. */
  readonly probe: (subject: string) => void;
  /** `reason`: the server's words; `null`: it no longer refuses. */
  readonly report: (bucket: string, reason: string | null) => void;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
}

interface Doubt {
  readonly since: number;
  readonly probing: NodeJS.Timeout;
  isReported: boolean;
}

export class WriteRefusals {
  readonly #options: WriteRefusalsOptions;
  readonly #doubts = new Map<string, Doubt>();

  constructor(options: WriteRefusalsOptions) {
    this.#options = options;
  }

  /** A write to this subject was stored. */
  accepted(subject: string): void {
    // The hot path: mostly there is no doubt.
    if (this.#doubts.size > 0) this.#end(bucketOf(subject));
  }

  /** A write to this subject was refused, neither for its revision nor for its size. */
  refused(subject: string, reason: string): void {
    const bucket = bucketOf(subject);
    const doubt = this.#doubts.get(bucket) ?? this.#begin(bucket);
    if (doubt.isReported || this.#options.now() - doubt.since < REFUSES_AFTER_MS) return;
    doubt.isReported = true;
    this.#options.report(bucket, reason);
  }

  /** What was known does not count any longer: the connection is lost, or nothing is written any more. */
  forget(): void {
    for (const bucket of [...this.#doubts.keys()]) this.#end(bucket);
  }

  #begin(bucket: string): Doubt {
    const probing = setInterval(() => {
      this.#options.probe(`$KV.${bucket}.${PROBE_KEY}`);
    }, PROBE_EVERY_MS);
    probing.unref();
    const doubt = { since: this.#options.now(), probing, isReported: false };
    this.#doubts.set(bucket, doubt);
    return doubt;
  }

  #end(bucket: string): void {
    const doubt = this.#doubts.get(bucket);
    if (doubt === undefined) return;
    clearInterval(doubt.probing);
    this.#doubts.delete(bucket);
    if (doubt.isReported) this.#options.report(bucket, null);
  }
}

/** `tasks` of `$KV.tasks.some.id`. */
function bucketOf(subject: string): string {
  return subject.split(".", 2)[1] ?? "";
}
