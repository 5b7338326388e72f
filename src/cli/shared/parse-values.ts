/** Values of options and arguments: durations, whole numbers and JSON. */
import { InvalidArgumentError } from "commander";
import { describeInexact, inexactPart } from "../../protocol/storable-json.ts";

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Milliseconds of `30s`, `1.5m`, `1h30m` or `500ms`. A number without a unit is in seconds. */
export function parseDuration(text: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1_000;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) {
    throw new InvalidArgumentError("It must be a duration, such as 30s, 5m or 1h30m.");
  }
  return parts.reduce((sum, [, count, unit = "s"]) => sum + Number(count) * (UNITS[unit] ?? 0), 0);
}

/** Seconds of a duration, for fields that the coordinator counts in whole seconds. */
export function parseSeconds(text: string): number {
  const ms = parseDuration(text);
  if (ms % 1_000 !== 0) throw new InvalidArgumentError("It must be a number of whole seconds.");
  return ms / 1_000;
}

/** A whole number that is not negative. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count)) {
    throw new InvalidArgumentError("It must be a whole number, such as 10.");
  }
  return count;
}

/** JSON, or the text itself if it is not JSON: `--result done` needs no quotes. */
export function parseJsonOrText(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  // The number that JavaScript reads would be another one than the user has typed.
  const inexact = inexactPart(text);
  if (inexact !== null) throw new InvalidArgumentError(`${describeInexact(inexact)}.`);
  return value;
}

/** @throws InvalidArgumentError if it is not JSON */
export function parseJson(text: string): unknown {
  try {
    JSON.parse(text);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new InvalidArgumentError(`It must be JSON (${problem}).`);
  }
  return parseJsonOrText(text);
}

/** For an option that can be given several times, or once with commas. */
export function collectList(
  text: string,
  before: readonly string[] | undefined,
): readonly string[] {
  return [...(before ?? []), ...text.split(",").map((entry) => entry.trim())].filter(
    (entry) => entry !== "",
  );
}
