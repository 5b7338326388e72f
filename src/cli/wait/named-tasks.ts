/**
 * Tasks that are waited for by their ids. What is known of each comes from a reading and from updates, which
 * can arrive in any order: the higher revision counts.
 */
import { type Condition, verdictOn } from "./condition.ts";

export interface WaitedTask {
  readonly task_id: string;
  /** `null`: there is no such task. */
  readonly status: string | null;
  readonly claimed_by: string | null;
}

export type Outcome = "holds" | "ended_otherwise" | "not_found";

export interface WaitResult {
  readonly outcome: Outcome | "timed_out";
  /** Every task that was named, or tasks of a group that explain the outcome. */
  readonly tasks: readonly WaitedTask[];
  /** Whether there are more such tasks of the group. */
  readonly has_more: boolean;
}

export interface WaitRules {
  readonly condition: Condition;
  /** Whether one task is enough. */
  readonly any: boolean;
  /** Whether a task that does not exist is waited for. */
  readonly awaitsCreation: boolean;
}

type State = Omit<WaitedTask, "task_id">;

export class NamedTasks {
  readonly #rules: WaitRules;
  readonly #known = new Map<string, State & { readonly revision: number }>();
  readonly #ids: readonly string[];

  constructor(ids: readonly string[], rules: WaitRules) {
    this.#ids = [...new Set(ids)];
    this.#rules = rules;
  }

  /** @param revision of the record; 0 for a reading that found no task */
  learn(id: string, revision: number, state: State | null): void {
    const before = this.#known.get(id);
    if (before !== undefined && before.revision >= revision) return;
    const { status, claimed_by } = state ?? { status: null, claimed_by: null };
    this.#known.set(id, { status, claimed_by, revision });
  }

  /** What was known is no longer true, for example because the bucket was created again. */
  forget(): void {
    this.#known.clear();
  }

  /** `null`: there is nothing to do but wait. Until every task is known, only a success is certain. */
  outcome(): Outcome | null {
    const { any } = this.#rules;
    const found = this.#ids.map((id) => this.#outcomeOf(id));
    const isAllKnown = this.#ids.every((id) => this.#known.has(id));
    if (any && found.includes("holds")) return "holds";
    if (!isAllKnown) return null;
    const [first = "holds"] = found;
    if (any) return found.every((one) => one !== null) ? first : null;
    const failure = found.find((one) => one !== "holds" && one !== null);
    return failure ?? (found.includes(null) ? null : "holds");
  }

  /** What is known of every task, in the given order. */
  tasks(): WaitedTask[] {
    return this.#ids.map((task_id) => {
      const { status = null, claimed_by = null } = this.#known.get(task_id) ?? {};
      return { task_id, status, claimed_by };
    });
  }

  #outcomeOf(id: string): Outcome | null {
    const { condition, awaitsCreation } = this.#rules;
    const status = this.#known.get(id)?.status ?? null;
    if (status === null) return awaitsCreation ? null : "not_found";
    const verdict = verdictOn(status, condition);
    if (verdict === "open") return null;
    return verdict === "holds" ? "holds" : "ended_otherwise";
  }
}
