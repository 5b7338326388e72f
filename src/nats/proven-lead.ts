/**
 * Fresh reads of a stream. NATS asks no quorum for a read: the node that believes to lead answers it.
 *
 * An acknowledged write proves that its node led when the write was sent, because a quorum has stored it. A node asks
 * for votes only when it has received nothing from the leader for four seconds. So a read is mostly fresh if its
 * answer comes soon after the last acknowledged write was sent. If there was none, a purge that matches nothing is
 * sent first: the quorum stores it like a write, and it changes nothing. Decision 53 has the exceptions.
 */
import type { JetStreamManager } from "@nats-io/jetstream";
import { type NatsConnection, TimeoutError } from "@nats-io/transport-node";
import { listenToConnection } from "./connection.ts";
import { isOwnDomain } from "./js-domain.ts";

/** From the request that proves the lead to the answer of a read. Less than `minElectionTimeout` of nats-server. */
const PROOF_LASTS_MS = 3_000;
/** A read whose answer comes too late is made again. */
const MAX_TRIES = 2;

/** Keeps more messages than there are. A purge of what is before a sequence would look into every block. */
const NOTHING = { filter: "none", keep: 1 };

export function leadOf(
  { connection, jsm }: { readonly connection: NatsConnection; readonly jsm: JetStreamManager },
  stream: string,
): ProvenLead {
  const isElsewhere = !isOwnDomain(jsm);
  const lead = new ProvenLead({
    prove: () => jsm.streams.purge(stream, NOTHING),
    // A server that is in no cluster does not name one. In another domain there may be one.
    isShared: () => isElsewhere || connection.info?.cluster !== undefined,
  });
  listenToConnection(connection, {
    // The next server may be one that was cut off.
    disconnected: () => {
      lead.forget();
    },
    reconnected: () => undefined,
  });
  return lead;
}

export interface LeadOptions {
  /** Resolves when a quorum of the stream has stored a request that was sent after the call. */
  readonly prove: () => Promise<unknown>;
  /** Whether other nodes may lead the stream. If not, every read is fresh. */
  readonly isShared: () => boolean;
  /** Milliseconds of a clock that is never set back. Default: that of the process. */
  readonly now?: () => number;
}

export class ProvenLead {
  readonly #prove: () => Promise<unknown>;
  readonly #isShared: () => boolean;
  readonly #now: () => number;
  #proving: Promise<unknown> | null = null;
  /** When the last request was sent that proves the lead. */
  #provenAt = -Infinity;
  /** What was sent before this time proves nothing. */
  #validFrom = -Infinity;

  constructor({ prove, isShared, now = () => performance.now() }: LeadOptions) {
    this.#prove = prove;
    this.#isShared = isShared;
    this.#now = now;
  }

  /** Carries the request out. `isProof`: whether its outcome says that a quorum has stored it. */
  acknowledged<T>(request: () => Promise<T>, isProof: (outcome: T) => boolean): Promise<T> {
    return this.#isShared() ? this.#noted(request, isProof) : request();
  }

  /** Rejects if no quorum answers, or if the read rejects. */
  read<T>(read: () => Promise<T>): Promise<T> {
    return this.#isShared() ? this.#proven(read) : read();
  }

  /** Nothing that was sent until now proves anything any longer. */
  forget(): void {
    this.#validFrom = this.#now();
  }

  async #noted<T>(request: () => Promise<T>, isProof: (outcome: T) => boolean): Promise<T> {
    const sentAt = this.#now();
    const outcome = await request();
    if (isProof(outcome)) this.#provenAt = Math.max(this.#provenAt, sentAt);
    return outcome;
  }

  async #proven<T>(read: () => Promise<T>): Promise<T> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      if (!this.#isProven()) await this.#untilProven();
      const value = await read();
      if (this.#isProven()) return value;
    }
    throw new TimeoutError();
  }

  #isProven(): boolean {
    const isRecent = this.#now() - this.#provenAt < PROOF_LASTS_MS;
    return isRecent && this.#provenAt >= this.#validFrom;
  }

  /** All who need a proof at the same time share it. */
  async #untilProven(): Promise<void> {
    this.#proving ??= this.#noted(this.#prove, () => true).finally(() => {
      this.#proving = null;
    });
    await this.#proving;
  }
}
