/** The form of an entry in the tables of what `doctor` can find. */

export type Verdict = "ok" | "warning" | "problem" | "unchecked";

export interface CodeDefinition {
  /** The check that finds it. */
  readonly check: string;
  readonly verdict: Exclude<Verdict, "ok">;
  readonly meaning: string;
  /** `<name>` is replaced by a value. */
  readonly cure: string;
}
