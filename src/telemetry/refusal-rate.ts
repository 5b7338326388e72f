/**
 * Bounds the refusals in the audit: the first ten of a principal in each second have messages of their own, for
 * each outcome. The others of that second are one message with their number. A flood of forbidden requests must
 * not fill the stream.
 *
 * Time is passed in.
 */
import type { AuditEntry } from "../protocol/audit-message.ts";

export const OWN_PER_SECOND = 10;
/** In each second. The others count together: where nobody vouches for principals, a client can invent them. */
const MAX_COUNTED = 1_000;
const OTHERS = "others";

export class RefusalRate {
  readonly #counted = new Map<string, { count: number; last: AuditEntry }>();
  #second = -1;

  /** Whether the refusal has a message of its own. Call `due` first. */
  admits(entry: AuditEntry): boolean {
    this.#second = secondOf(entry.at);
    const named = `${entry.outcome} ${entry.principal ?? ""}`;
    const isNew = !this.#counted.has(named);
    const key = isNew && this.#counted.size >= MAX_COUNTED ? OTHERS : named;
    const counted = this.#counted.get(key) ?? { count: 0, last: entry };
    counted.count++;
    counted.last = entry;
    this.#counted.set(key, counted);
    return counted.count <= OWN_PER_SECOND;
  }

  /** Whether `due` may return entries later. */
  get isOpen(): boolean {
    return this.#counted.size > 0;
  }

  /** What was left out, once the second is over. */
  due(now: number): AuditEntry[] {
    if (secondOf(now) === this.#second || !this.isOpen) return [];
    const entries = [...this.#counted.values()].flatMap(({ count, last }) =>
      count > OWN_PER_SECOND ? [{ ...last, count: count - OWN_PER_SECOND }] : [],
    );
    this.#counted.clear();
    return entries;
  }
}

function secondOf(at: number): number {
  return Math.floor(at / 1_000);
}
