/** Turns the values of a file into those of an import. Tables have texts only; JSON and YAML have types. */
import type { GivenDependency, Located } from "./draft.ts";
import { shown } from "./findings.ts";
import { parseJson, SyntaxProblem } from "./json.ts";
import { Places } from "./places.ts";
import { isNothing, KNOWN_PRIORITIES, priorityOf } from "./words.ts";

/** A value that cannot be what its field says. */
export class WrongValue extends Error {
  override readonly name = "WrongValue";
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

/** Numbers are allowed, because YAML reads `id: 7` as one. */
export function textOf(name: string, { value, offset }: Located): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" && Number.isSafeInteger(value)) return String(value);
  throw new WrongValue(offset, `${name}: must be a text, not ${shown(value)}`);
}

/** `#71` and ` P0.1.1: ` are ids that people write in tables. */
export function plainId(text: string): string {
  return text
    .trim()
    .replace(/^#(?=\w)/, "")
    .replace(/[:.]$/, "");
}

/** A list, or a text with commas. */
export function listOf(name: string, located: Located): string[] {
  const { value, offset } = located;
  if (Array.isArray(value)) {
    return value.map((entry: unknown) => textOf(name, { value: entry, offset }));
  }
  const text = textOf(name, located);
  if (/^\s*\[.*\]\s*$/s.test(text)) return listOf(name, { value: jsonOf(name, located), offset });
  return isNothing(text) ? [] : splitList(text);
}

function splitList(text: string): string[] {
  const parts = text.split(/[,;\n]/).map((part) => part.trim());
  return parts.filter((part) => part !== "");
}

/** Each entry of an array is exactly one id. The text of a cell is split, and can contain ranges. */
export function dependenciesOf(
  located: Located,
  idsAbove: () => readonly string[],
): GivenDependency[] {
  const { value, offset } = located;
  const isList = Array.isArray(value) || (typeof value === "string" && /^\s*\["/.test(value));
  if (isList) {
    return listOf("depends_on", located).map((text) => ({ text, offset, isExact: true }));
  }
  const text = textOf("depends_on", located);
  if (isNothing(text)) return [];
  if (/^\s*all\s+(?:of\s+the\s+)?(?:above|previous)\s*$/i.test(text)) {
    return idsAbove().map((id) => ({ text: id, offset, isExact: true }));
  }
  return withoutRemarks(text)
    .split(/[,;\n]|\s+(?:and|&|\+)\s+/)
    .map((part) => plainId(part))
    .filter((part) => !isNothing(part))
    .map((part) => ({ text: part, offset, isExact: false }));
}

/** Without `(done)`, and without signs such as a tick. */
function withoutRemarks(text: string): string {
  return text.replace(/\([^)]*\)/g, " ").replace(/\p{Extended_Pictographic}\uFE0F?|[✓✔☑]/gu, " ");
}

export function priorityIn(located: Located): number {
  const { value, offset } = located;
  if (typeof value === "number") return value;
  const priority = typeof value === "string" ? priorityOf(value) : null;
  if (priority !== null) return priority;
  throw new WrongValue(offset, `priority: ${shown(value)} is unknown: use ${KNOWN_PRIORITIES}`);
}

export function wholeNumber(name: string, { value, offset }: Located): number {
  if (typeof value === "number") return value;
  if (typeof value === "string" && /^\s*-?\d{1,15}\s*$/.test(value)) return Number(value);
  throw new WrongValue(offset, `${name}: must be a whole number, not ${shown(value)}`);
}

/** A date alone means its first moment, in UTC. */
export function timeOf(name: string, located: Located): string {
  const text = textOf(name, located).trim();
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text;
}

/** JSON in a cell. */
export function jsonOf(name: string, located: Located): unknown {
  const text = textOf(name, located);
  const { offset } = located;
  try {
    return parseJson(text, new Places(), (_, message) => {
      throw new WrongValue(offset, `${name}: ${message}`);
    });
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    throw new WrongValue(offset, `${name}: is not valid JSON: ${error.message}`);
  }
}

/** JSON if the cell begins like JSON; any other text stands for itself. */
export function jsonOrText(name: string, located: Located): unknown {
  const text = textOf(name, located);
  return /^\s*(?:["[{]|(?:-?\d[\d.eE+-]*|true|false|null)\s*$)/.test(text)
    ? jsonOf(name, located)
    : text;
}
