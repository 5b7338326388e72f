/** Durations as options have them, such as `90s`, `10m` and `2h`. */
const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** In milliseconds; NaN for what is none. */
export function parseDuration(text: string): number {
  const [, amount = "", unit = ""] = /^(\d+)([smh])$/.exec(text) ?? [];
  return Number(amount) * (UNITS_MS[unit] ?? NaN);
}
