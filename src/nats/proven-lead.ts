/**
 * Fresh reads of a stream. NATS asks no quorum for a read: the node that believes to lead answers it.
 *
 * An acknowledged write proves that its node led when the write was sent, because a quorum has stored it. The other
 * nodes elect another leader only when they have received nothing for four seconds. So a read is fresh if its answer
 * comes soon after the last acknowledged write was sent. If there was none, a purge that matches nothing is sent
 * first: the quorum stores it like a write, and it changes nothing (decision 53).
 */
import type { JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { isOwnDomain } from "./js-domain.ts";
import { SharedRead } from "./shared-read.ts";

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
  return new ProvenLead({
    prove: () => jsm.streams.purge(stream, NOTHING),
    // A node in another domain may be in a cluster.
    isShared: () => connection.info?.cluster !== undefined || !isOwnDomain(jsm),
  });
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
  readonly #isShared: () => boolean;
  readonly #now: () => number;
  readonly #proof: SharedRead<unknown>;
  #provenAt = -Infinity;

  constructor({ prove, isShared, now = () => performance.now() }: LeadOptions) {
    this.#isShared = isShared;
    this.#now = now;
    this.#proof = new SharedRead(() => this.acknowledged(prove));
  }

  /** Carries the request out. `isProof`: whether its outcome says that a quorum has stored it. Default: always. */
  async acknowledged<T>(
    request: () => Promise<T>,
    isProof: (outcome: T) => boolean = () => true,
  ): Promise<T> {
    if (!this.#isShared()) return request();
    const sentAt = this.#now();
    const outcome = await request();
    if (isProof(outcome)) this.#provenAt = Math.max(this.#provenAt, sentAt);
    return outcome;
  }

  /** Rejects if no quorum answers, or if the read rejects. */
  async read<T>(read: () => Promise<T>): Promise<T> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      if (!this.#isProven()) await this.#proof.next();
      const value = await read();
      if (this.#isProven()) return value;
    }
    throw new Error("the leader of the stream answers too late");
  }

  #isProven(): boolean {
    return !this.#isShared() || this.#now() - this.#provenAt < PROOF_LASTS_MS;
  }
}
