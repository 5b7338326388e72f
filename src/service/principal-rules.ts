/**
 * The rules for principals as this worker knows them: limits of their own instead of the configured ones, and
 * the prefixes of ids that belong to them.
 *
 * A value that cannot be read counts as none, and is reported once.
 */
import type { StoredRules } from "../protocol/principal-rules.ts";
import { SetMap } from "../watched/set-map.ts";
import { WatchedMap } from "../watched/watched-map.ts";
import type { Observe, PrincipalEntry, Watch } from "./ports.ts";

interface KnownRules extends StoredRules {
  readonly revision: number;
}

export class PrincipalRules implements Watch<PrincipalEntry> {
  readonly #rules = new WatchedMap<KnownRules, never>({});
  readonly position = this.#rules.position;
  /** The owners of each prefix. */
  readonly #owners = new SetMap();
  /** The lengths of the prefixes, longest first. */
  #lengths: readonly number[] = [];
  /** What was reported of each entry. A watch that begins again delivers the same entries. */
  readonly #reported = new Map<string, string>();
  readonly #observe: Observe;

  constructor(observe: Observe) {
    this.#observe = observe;
    this.#rules.onChange((principal, before, after) => {
      for (const prefix of before?.prefixes ?? []) this.#owners.delete(prefix, principal);
      for (const prefix of after?.prefixes ?? []) this.#owners.add(prefix, principal);
      this.#lengths = lengthsOf(this.#rules.values());
    });
  }

  /** The principal's own limits; it has those of the configuration where it has none. `sender`: as `Call.sender`. */
  limitsOf(sender: string): StoredRules["limits"] | undefined {
    return this.#rules.get(sender)?.limits;
  }

  /** The prefixes that belong to the principal. */
  prefixesOf(principal: string): readonly string[] {
    return this.#rules.get(principal)?.prefixes ?? [];
  }

  /** To whom the longest prefix of the id belongs; nobody: the id is free. */
  ownersOf(taskId: string): ReadonlySet<string> {
    for (const length of this.#lengths) {
      const owners = this.#owners.get(taskId.slice(0, length));
      if (owners.size > 0) return owners;
    }
    return NOBODY;
  }

  restarted(): void {
    this.#rules.restarted();
  }

  entry({ principal, revision, rules }: PrincipalEntry): void {
    const isReadable = typeof rules === "object" && rules !== null;
    this.#rules.deliver(principal, revision, isReadable ? { ...rules, revision } : null);
    const problem = problemOf(rules);
    if (problem === (this.#reported.get(principal) ?? null)) return;
    if (problem === null) {
      this.#reported.delete(principal);
      return;
    }
    this.#reported.set(principal, problem);
    const message = `the entry "${principal}" of the bucket "principals" ${problem}`;
    this.#observe({ kind: "warning", message });
  }

  current(): void {
    this.#rules.current();
  }
}

/** The limits that single principals have of their own. */
export type LimitRules = Pick<PrincipalRules, "limitsOf">;

const NOBODY: ReadonlySet<string> = new Set();

function problemOf(rules: PrincipalEntry["rules"]): string | null {
  if (typeof rules === "string") return `counts as none: ${rules}`;
  if (rules === null || rules.unknownNames.length === 0) return null;
  return `is read without ${rules.unknownNames.join(", ")}: this version knows no such name`;
}

function lengthsOf(all: Iterable<StoredRules>): number[] {
  const lengths = [...all].flatMap(({ prefixes }) => prefixes.map(({ length }) => length));
  return [...new Set(lengths)].sort((a, b) => b - a);
}
