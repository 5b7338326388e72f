/**
 * Notices that a bucket refuses every write although the connection is up. A bucket is in one of three states:
 *
 * - **Accepting**, until a write is refused for any reason but its revision.
 * - **Doubted**, until a write succeeds. A probe is written each second, so that a bucket with little traffic
 *   is judged too. The probe is a delete marker of a key that is not a valid id, and it removes itself. So no
 *   reader takes it for an entry.
 * - **Refusing**, if a write is refused after 3 s of doubt. This is reported. Its end is reported too: the
 *   next success, or the loss of the connection, because then the state is unknown.
 *
 * Only a doubted bucket is probed. A bucket that nobody writes to may refuse unnoticed, and nobody is harmed.
 */

/** How long a bucket is doubted before it counts as refusing, in milliseconds. */
export const REFUSES_AFTER_MS = 3_000;
const PROBE_EVERY_MS = 1_000;
/** No id of a task or session contains `~`. */
const PROBE_KEY = "~probe";

export interface WriteRefusalsOptions {
  /** Writes a marker that removes itself to this subject, and reports the outcome like that of any write. */
  readonly probe: (subject: string) => void;
  /** `reason`: the server's message; `null`: the bucket no longer refuses, as far as is known. */
  readonly report: (bucket: string, reason: string | null) => void;
  /** Milliseconds of a monotonic clock. */
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
    // The hot path: usually no bucket is doubted.
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

  /** Forgets all doubts: the connection is lost, or nothing more will be written. */
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

/** `tasks` for `$KV.tasks.some.id`. */
function bucketOf(subject: string): string {
  return subject.split(".", 2)[1] ?? "";
}
