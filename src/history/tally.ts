/** Counts, for each rule, what was checked, what could not be checked, and what breaks the rule. */
import { RULE_NAMES, type RuleName, type Unchecked } from "./rules.ts";

/** A break of a rule by a write, or by the last state of a task. */
export interface Violation {
  readonly rule: RuleName;
  readonly taskId: string;
  readonly revision: number;
  /** By the clock of the NATS server, epoch milliseconds. `null`: not known. */
  readonly writtenAt: number | null;
  /** The session that the record names. */
  readonly sessionId: string | null;
  /** No worker wrote the record. */
  readonly isByHand: boolean;
  readonly what: string;
  /** Tasks whose last state the finding rests on. If they have changed meanwhile, it may be wrong. */
  readonly restsOn: readonly string[];
}

export interface Count {
  /** Writes, or tasks for a rule about states. */
  checked: number;
  unchecked: number;
  violations: number;
  readonly reasons: Map<Unchecked, number>;
}

export class Tally {
  readonly counts: ReadonlyMap<RuleName, Count>;
  readonly #counts = new Map<RuleName, Count>();
  readonly #kept = new Map<RuleName, Violation[]>();
  readonly #maxKept: number;
  /** For each task with something unchecked, a bit for each rule. */
  readonly #uncheckedOf = new Map<string, number>();

  constructor(maxKept = Infinity) {
    this.#maxKept = maxKept;
    this.counts = this.#counts;
    for (const rule of RULE_NAMES) {
      this.#counts.set(rule, { checked: 0, unchecked: 0, violations: 0, reasons: new Map() });
      this.#kept.set(rule, []);
    }
  }

  checked(rule: RuleName): void {
    this.#of(rule).checked++;
  }

  unchecked(rule: RuleName, taskId: string, why: Unchecked): void {
    const count = this.#of(rule);
    count.unchecked++;
    count.reasons.set(why, (count.reasons.get(why) ?? 0) + 1);
    const bit = 1 << RULE_NAMES.indexOf(rule);
    this.#uncheckedOf.set(taskId, (this.#uncheckedOf.get(taskId) ?? 0) | bit);
  }

  violated(violation: Violation): void {
    this.#of(violation.rule).violations++;
    const kept = this.#kept.get(violation.rule) ?? [];
    if (kept.length < this.#maxKept) kept.push(violation);
  }

  /** Takes back a violation that was kept: it could not be confirmed. */
  withdraw(violation: Violation, why: Unchecked): void {
    const kept = this.#kept.get(violation.rule) ?? [];
    kept.splice(kept.indexOf(violation), 1);
    const count = this.#of(violation.rule);
    count.violations--;
    count.checked--;
    this.unchecked(violation.rule, violation.taskId, why);
  }

  /** Those that were kept, rule by rule, in the order of the revisions. */
  get violations(): readonly Violation[] {
    return [...this.#kept.values()].flat();
  }

  /** Each task with something unchecked, with the rules. */
  *uncheckedTasks(): Generator<{ readonly taskId: string; readonly rules: readonly RuleName[] }> {
    for (const [taskId, bits] of this.#uncheckedOf) {
      const rules = RULE_NAMES.filter((_, i) => (bits & (1 << i)) !== 0);
      yield { taskId, rules };
    }
  }

  #of(rule: RuleName): Count {
    const count = this.#counts.get(rule);
    if (count === undefined) throw new Error(`there is no rule ${rule}`);
    return count;
  }
}
