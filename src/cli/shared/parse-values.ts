/** Values of options and arguments: durations, whole numbers and JSON. */
import { InvalidArgumentError } from "commander";
import { idRuleFor, isValidId } from "../../protocol/subjects.ts";
import { describeInexact, inexactPart } from "../../protocol/storable-json.ts";

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
/** A hundred years: sums with the time of day stay valid times. */
const LONGEST_MS = 36_500 * 86_400_000;

/** An empty text mostly comes from a shell variable that is not set. */
export function parseText(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("It must not be empty.");
  return text;
}

/** Milliseconds of `30s`, `1.5m`, `1h30m` or `500ms`. A number without a unit is in seconds. */
export function parseDuration(text: string): number {
  const given = /^\d+(\.\d+)?$/.test(text) ? `${text}s` : text;
  const parts = [...given.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== given) {
    throw new InvalidArgumentError("It must be a duration, such as 30s, 5m or 1h30m.");
  }
  const ms = parts.reduce(
    (sum, [, count, unit = ""]) => sum + Number(count) * (UNITS[unit] ?? 0),
    0,
  );
  if (ms > LONGEST_MS) throw new InvalidArgumentError("It must not be longer than 36500d.");
  return ms;
}

/** Seconds of a duration, for fields that the coordinator counts in whole seconds. */
export function parseSeconds(text: string): number {
  const ms = parseDuration(text);
  if (ms % 1_000 !== 0) throw new InvalidArgumentError("It must be a number of whole seconds.");
  return ms / 1_000;
}

/** The id of a task. @throws InvalidArgumentError for what cannot be one */
export function parseTaskId(text: string): string {
  return parseId("task", text);
}

/** The id of a session. @throws InvalidArgumentError for what cannot be one */
export function parseSessionId(text: string): string {
  return parseId("session", text);
}

function parseId(kind: string, text: string): string {
  if (isValidId(text)) return text;
  throw new InvalidArgumentError(`The id of a ${kind} has ${idRuleFor(text)}.`);
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
export function collectList(text: string, before?: readonly string[]): string[] {
  return [...(before ?? []), ...text.split(",").map((entry) => entry.trim())].filter(
    (entry) => entry !== "",
  );
}
