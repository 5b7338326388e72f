/** Values of options and arguments: durations, times, whole numbers, ids and lists. */
import { InvalidArgumentError } from "commander";
import { idRuleFor, isValidId } from "../../protocol/subjects.ts";

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

/** A time of ISO-8601, or one that is `+10m` from now by the clock of this machine. */
export function parseTime(text: string): string {
  if (text.startsWith("+"))
    return new Date(Date.now() + parseDuration(text.slice(1))).toISOString();
  if (ISO_TIME.test(text) && !Number.isNaN(Date.parse(text))) return text;
  throw new InvalidArgumentError(
    "It must be a time such as 2026-03-01T09:00:00Z, or a time from now such as +10m.",
  );
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/** For an option that can be given several times, or once with commas. */
export function collectList(text: string, before?: readonly string[]): string[] {
  return [...(before ?? []), ...text.split(",").map((entry) => entry.trim())].filter(
    (entry) => entry !== "",
  );
}

/** For an option that can be given several times, whose values can have commas. */
export function collectTexts(text: string, before?: readonly string[]): string[] {
  return [...(before ?? []), text];
}

/** For an argument that can be repeated. @throws InvalidArgumentError for what cannot be an id of a task */
export function collectIds(text: string, before?: readonly string[]): string[] {
  return [...(before ?? []), parseTaskId(text)];
}

/** Ids as of `collectList`. @throws InvalidArgumentError for what cannot be an id of a task */
export function collectIdList(text: string, before?: readonly string[]): string[] {
  return [...(before ?? []), ...collectList(text).map(parseTaskId)];
}
