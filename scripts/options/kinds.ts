/** The kinds of options: a number, a duration, one of several words, a text, or a flag. */
import { randomInt } from "node:crypto";

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

export interface Option<T> {
  /** Its value, as the usage text shows it; `null`: a flag, which has none. */
  readonly value: string | null;
  readonly what: string;
  /** The value if the option is not given, and how the usage text shows it. */
  readonly fallback: T;
  readonly shown: string;
  /** Describes the values that it takes, for the message about any other. */
  readonly takes: string;
  /** Returns `undefined` for a text that it does not take. */
  readonly read: (text: string) => T | undefined;
}

/** How the usage text shows the default, if not as its value. */
interface Shown {
  readonly shown?: string;
}

/** A whole number of at least `min`, which is 0 by default. */
export function whole<F extends number | null>(
  what: string,
  fallback: F,
  { min = 0, shown = String(fallback) }: Shown & { readonly min?: number } = {},
): Option<number | F> {
  const read = (text: string): number | undefined => {
    const number = /^\d+$/.test(text) ? Number(text) : NaN;
    return Number.isSafeInteger(number) && number >= min ? number : undefined;
  };
  return { value: "<n>", what, fallback, shown, takes: `a whole number from ${min} on`, read };
}

export function seed(what: string): Option<number> {
  return whole(what, randomInt(2 ** 31), { shown: "random" });
}

/** Milliseconds. @param shown the default, as the command line would say it */
export function duration(what: string, shown: string): Option<number> {
  const read = (text: string): number | undefined => {
    const ms = parseDuration(text);
    return ms > 0 ? ms : undefined;
  };
  const takes = "a duration such as 90s, 10m or 2h";
  return { value: "<n>s|m|h", what, fallback: parseDuration(shown), shown, takes, read };
}

export function oneOf<T extends string>(
  words: readonly T[],
  what: string,
  fallback: NoInfer<T>,
): Option<T> {
  const read = (text: string): T | undefined => words.find((word) => word === text);
  const [value, takes] = [words.join("|"), words.join(" or ")];
  return { value, what, fallback, shown: fallback, takes, read };
}

export function text<F extends string | null>(
  value: string,
  what: string,
  fallback: F,
  { shown = String(fallback) }: Shown = {},
): Option<string | F> {
  const read = (given: string): string | undefined => (given === "" ? undefined : given);
  return { value, what, fallback, shown, takes: value, read };
}

export function flag(what: string): Option<boolean> {
  return { value: null, what, fallback: false, shown: "off", takes: "no value", read: () => true };
}

export function nodes(fallback: 1 | 3): Option<number> {
  const what = "NATS servers; with three, each record has three replicas";
  const read = (given: string): number | undefined => [1, 3].find((n) => String(n) === given);
  return { value: "1|3", what, fallback, shown: String(fallback), takes: "1 or 3", read };
}

export function workers(fallback: number): Option<number> {
  return whole("workers, each a process", fallback, { min: 1 });
}

/** In milliseconds. NaN for a text that is no duration. */
function parseDuration(text: string): number {
  const [, amount = "", unit = ""] = /^(\d+)([smh])$/.exec(text) ?? [];
  return Number(amount) * (UNITS_MS[unit] ?? NaN);
}
