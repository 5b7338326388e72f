/**
 * The stream `AUDIT`: a worker makes it, and stores messages in it in batches. Only the last message of a batch is
 * acknowledged. It was sent on the same connection, so the server had the others before it.
 */
import {
  DiscardPolicy,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream";
import { errors, nanos, type NatsConnection } from "@nats-io/transport-node";
import {
  AUDIT_ROOT,
  type AuditEntry,
  auditSubject,
  encodeAuditEntry,
} from "../protocol/audit-message.ts";
import { findStream } from "./find-stream.ts";
import { inDomain } from "./js-domain.ts";

export const AUDIT_STREAM = "AUDIT";
const ACK_TIMEOUT_MS = 5_000;
/** The time between two attempts to make the stream. */
const RETRY_MS = 10_000;

export interface AuditStreamOptions {
  readonly maxAgeSeconds: number;
  readonly maxBytes: number;
  readonly replicas: number;
}

export interface AuditStreamReports {
  /** Why nothing can be stored; `null`: it can be again. */
  readonly problem: (problem: string | null) => void;
  readonly made: (stream: string) => void;
  readonly warn: (message: string) => void;
}

export interface AuditConnection {
  readonly connection: NatsConnection;
  readonly isConnected: () => boolean;
  readonly jsDomain: string | undefined;
}

export class AuditStream {
  readonly #access: AuditConnection;
  readonly #config: AuditStreamConfig;
  readonly #workerId: string;
  readonly #reports: AuditStreamReports;
  #isThere = false;
  #problem: string | null = null;
  #retry: NodeJS.Timeout | null = null;
  #isOpening = false;
  #isStopped = false;

  constructor(
    access: AuditConnection,
    workerId: string,
    options: AuditStreamOptions,
    reports: AuditStreamReports,
  ) {
    this.#access = access;
    this.#workerId = workerId;
    this.#config = auditStreamConfig(options);
    this.#reports = reports;
  }

  /** Makes the stream if it is missing, and tries again until that works. Never rejects. */
  async open(): Promise<void> {
    if (this.#isStopped || this.#isOpening) return;
    this.#isOpening = true;
    const problem = await this.#ensure();
    this.#isOpening = false;
    this.#isThere = problem === null;
    if (problem !== this.#problem) {
      this.#problem = problem;
      this.#reports.problem(problem);
    }
    // `stop` may have been called meanwhile.
    if (problem === null || this.#isOver()) return;
    this.#retry = setTimeout(() => void this.open(), RETRY_MS).unref();
  }

  get isReady(): boolean {
    return this.#isThere && this.#access.isConnected();
  }

  /** Resolves to `null`, or to why the entries are lost. Never rejects. */
  async store(entries: readonly AuditEntry[]): Promise<string | null> {
    const { connection } = this.#access;
    const last = entries.length - 1;
    try {
      for (const [i, entry] of entries.entries()) {
        const subject = auditSubject(entry);
        const payload = encodeAuditEntry(entry, this.#workerId);
        if (i < last) connection.publish(subject, payload);
        else {
          const ack = await connection.request(subject, payload, { timeout: ACK_TIMEOUT_MS });
          return refusalIn(ack.json());
        }
      }
      return null;
    } catch (error) {
      if (error instanceof errors.NoRespondersError || isNoResponders(error)) {
        // Somebody has deleted the stream, or it has no leader.
        this.#isThere = false;
        void this.open();
      }
      return error instanceof Error ? error.message : String(error);
    }
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
  }

  #isOver(): boolean {
    return this.#isStopped;
  }

  /** Resolves to `null`, or to why there is no such stream. */
  async #ensure(): Promise<string | null> {
    const { connection, jsDomain } = this.#access;
    try {
      const jsm = await jetstreamManager(connection, { checkAPI: false, ...inDomain(jsDomain) });
      const existing = (await findStream(jsm, AUDIT_STREAM))?.config ?? null;
      if (existing === null) {
        await jsm.streams.add(this.#config);
        this.#reports.made(AUDIT_STREAM);
      } else {
        const subjects = existing.subjects.join(", ");
        if (subjects !== this.#config.subjects.join()) {
          return `the stream ${AUDIT_STREAM} has the subjects ${subjects}: remove it if it is not in use, and a worker makes it`;
        }
        for (const difference of differences(this.#config, existing)) {
          this.#reports.warn(
            `stream ${AUDIT_STREAM} is used as it is: ${difference} by the configuration; "nats stream edit ${AUDIT_STREAM}" changes it`,
          );
        }
      }
      return null;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      return `cannot make the stream ${AUDIT_STREAM} (${problem}): check the permissions and the storage limits of this NATS account`;
    }
  }
}

type AuditStreamConfig = Partial<StreamConfig> &
  Pick<StreamConfig, "name" | "subjects" | "max_age" | "max_bytes" | "num_replicas">;

function auditStreamConfig(options: AuditStreamOptions): AuditStreamConfig {
  return {
    name: AUDIT_STREAM,
    subjects: [`${AUDIT_ROOT}.>`],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_age: nanos(options.maxAgeSeconds * 1_000),
    max_bytes: options.maxBytes,
    num_replicas: options.replicas,
    allow_direct: true,
    // Only the limits remove messages.
    deny_delete: true,
    deny_purge: true,
  };
}

function differences(wanted: AuditStreamConfig, existing: StreamConfig): string[] {
  return (["max_age", "max_bytes", "num_replicas"] as const).flatMap((setting) =>
    existing[setting] === wanted[setting]
      ? []
      : [`${setting} is ${existing[setting]} but ${wanted[setting]}`],
  );
}

function refusalIn(ack: unknown): string | null {
  const { error } = ack as { readonly error?: { readonly description?: string } };
  return error === undefined ? null : (error.description ?? "no reason given");
}

function isNoResponders(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof errors.NoRespondersError;
}
