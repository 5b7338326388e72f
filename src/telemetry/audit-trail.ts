/**
 * The sink of facts that makes the audit of them. It is never in the way of a request: entries wait in memory, and
 * go to the store in batches, one at a time. What the store does not take is lost, and counted.
 *
 * - A change is a written record whose event names a principal. Where the server names nobody, it is one whose
 *   event a request causes.
 * - Renewals and heartbeats change no record, so they have no entry. Refused ones have.
 */
import {
  AUDITED_REFUSALS,
  type AuditEntry,
  type AuditOutcome,
  OPERATION_OF_EVENT,
} from "../protocol/audit-message.ts";
import type { Fact, Observe } from "../service/ports.ts";
import { RefusalRate } from "./refusal-rate.ts";

/** Entries that wait while NATS is away. Then the first ones say more than the last ones. */
export const MAX_WAITING = 10_000;
export const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** An entry without its texts. */
const ENTRY_BYTES = 200;
const BATCH = 200;
/** The time between an entry and its batch. */
const DELAY_MS = 100;
/** The same while the store is not ready, and for what waits for the end of a second. */
const LATER_MS = 1_000;

export interface AuditStore {
  /** Whether `store` is worth a try. */
  readonly isReady: boolean;
  /** Resolves to `null`, or to why the entries are lost. Never rejects. */
  store(entries: readonly AuditEntry[]): Promise<string | null>;
}

export interface AuditTrailOptions {
  /** Whether changes without a principal count. */
  readonly countsUnnamed: boolean;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly observe: Observe;
}

const REFUSALS: ReadonlySet<string> = new Set(AUDITED_REFUSALS);
const BUFFER_IS_FULL = "too many wait to be stored";

export class AuditTrail {
  readonly #store: AuditStore;
  readonly #options: AuditTrailOptions;
  readonly #waiting: AuditEntry[] = [];
  readonly #refusals = new RefusalRate();
  #bytes = 0;
  #dropped = 0;
  #timer: NodeJS.Timeout | null = null;
  #timerAt = 0;
  #sending: Promise<void> | null = null;

  constructor(store: AuditStore, options: AuditTrailOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** Must not throw. */
  note(fact: Fact): void {
    if (fact.kind === "task_written") this.#changed(fact);
    else if (fact.kind === "request") this.#requested(fact);
  }

  /** Stores what waits, if the store is ready. */
  async stop(): Promise<void> {
    await this.#sending;
    for (const entry of this.#refusals.due(Infinity)) this.#add(entry);
    await this.#send();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#lost(this.#waiting.length, "the worker has stopped");
  }

  #changed(fact: Extract<Fact, { kind: "task_written" }>): void {
    const { principal, event, taskId: id, sessionId, attempt, revision } = fact;
    if (principal === null && !this.#options.countsUnnamed) return;
    const operations: Readonly<Record<string, AuditEntry["operation"] | null>> = OPERATION_OF_EVENT;
    const operation = operations[event] ?? null;
    if (operation === null) return;
    const at = this.#options.now();
    this.#add({ at, outcome: "ok", principal, sessionId, operation, id, event, attempt, revision });
  }

  #requested({ operation, outcome, ...fact }: Extract<Fact, { kind: "request" }>): void {
    const isRefusal = REFUSALS.has(outcome);
    const isOfSession = operation === "sessions.register" || operation === "sessions.unregister";
    if (!isRefusal && !(isOfSession && outcome === "ok")) return;
    const { principal, sessionId, id, attempt } = fact;
    const at = this.#options.now();
    const what = { at, outcome: outcome as AuditOutcome, principal, operation, id };
    const entry: AuditEntry = { ...what, sessionId: isOfSession ? id : sessionId, attempt };
    if (isRefusal) {
      for (const earlier of this.#refusals.due(at)) this.#add(earlier);
      if (!this.#refusals.admits(entry)) {
        this.#sendIn(LATER_MS);
        return;
      }
    }
    this.#add(entry);
  }

  #add(entry: AuditEntry): void {
    const bytes = bytesOf(entry);
    if (this.#waiting.length >= MAX_WAITING || this.#bytes + bytes > MAX_WAITING_BYTES) {
      this.#dropped++;
    } else {
      this.#bytes += bytes;
      this.#waiting.push(entry);
    }
    this.#sendIn(DELAY_MS);
  }

  /** Sends after so many milliseconds, or before, if that is planned already. */
  #sendIn(ms: number): void {
    const at = performance.now() + ms;
    if (this.#timer !== null && at >= this.#timerAt) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#sending ??= this.#send().finally(() => {
        this.#sending = null;
      });
    }, ms).unref();
  }

  /** Never rejects. */
  async #send(): Promise<void> {
    for (const entry of this.#refusals.due(this.#options.now())) this.#add(entry);
    while (this.#waiting.length > 0 && this.#store.isReady) {
      const batch = this.#waiting.splice(0, BATCH);
      for (const entry of batch) this.#bytes -= bytesOf(entry);
      const problem = await this.#store.store(batch);
      if (problem !== null) this.#lost(batch.length, problem);
    }
    this.#lost(this.#dropped, BUFFER_IS_FULL);
    this.#dropped = 0;
    if (this.#waiting.length > 0 || this.#refusals.isOpen) this.#sendIn(LATER_MS);
  }

  #lost(entries: number, reason: string): void {
    if (entries > 0) this.#options.observe({ kind: "audit_lost", entries, reason });
  }
}

function bytesOf({ principal, sessionId, id }: AuditEntry): number {
  return ENTRY_BYTES + (principal?.length ?? 0) + (sessionId?.length ?? 0) + (id?.length ?? 0);
}
