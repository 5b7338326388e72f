/** What a check has found: a verdict, a sentence, and the cure. */
import { formatDuration } from "../shared/time.ts";
import type { Verdict } from "./code-definition.ts";
import { CODES, type FindingCode } from "./finding-codes.ts";

export interface Finding {
  readonly verdict: Verdict;
  /** For programs. `null` if all is well. */
  readonly code: FindingCode | null;
  readonly text: string;
  /** What to do; `null` if nothing needs to be done. */
  readonly cure: string | null;
}

export function ok(text: string): Finding {
  return { verdict: "ok", code: null, text, cure: null };
}

/**
 * @param text what is wrong, with its values
 * @param values replace `<name>` in the cure
 */
export function found(
  code: FindingCode,
  text: string,
  values: Readonly<Record<string, string>> = {},
): Finding {
  const { verdict, cure } = CODES[code];
  return {
    verdict,
    code,
    text,
    cure: cure.replace(/<([a-z_]+)>/g, (whole, name: string) => values[name] ?? whole),
  };
}

/** `a, b and 3 more`. */
export function shortList(texts: readonly string[], limit = 5): string {
  const shown = texts.slice(0, limit).join(", ");
  return texts.length > limit
    ? `${shown} and ${(texts.length - limit).toLocaleString("en")} more`
    : shown;
}

/** `1 task`, `2 tasks`. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

/** `3.2 ms`, `45s`, `3m20s`. */
export function duration(ms: number): string {
  if (ms >= 1_000) return formatDuration(ms);
  return `${ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`;
}
