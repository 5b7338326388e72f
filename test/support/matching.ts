/** Compares the output of a command with the output in the documentation, which may leave parts out. */

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/**
 * Whether the value has everything that the documentation shows. It may have more fields. Any time matches
 * any other time. Lists must have the same length.
 */
export function matches(value: unknown, shown: unknown): boolean {
  if (Array.isArray(shown)) {
    return (
      Array.isArray(value) &&
      value.length === shown.length &&
      shown.every((part, i) => matches(value[i], part))
    );
  }
  if (typeof shown === "object" && shown !== null) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
    const fields = new Map(Object.entries(value));
    return Object.entries(shown).every(([name, part]) => matches(fields.get(name), part));
  }
  if (typeof shown === "string" && TIME.test(shown)) {
    return typeof value === "string" && TIME.test(value);
  }
  return value === shown;
}

/**
 * Whether the text has all lines of the documentation in order, each perhaps as a part of a longer line. In the
 * documentation, `…` stands for any text, such as a time.
 */
export function hasLines(text: string, shown: string): boolean {
  const lines = text.split("\n");
  let from = 0;
  return shown.split("\n").every((wanted) => {
    const parts = wanted.split("…");
    const at = lines.findIndex((line, i) => i >= from && hasParts(line, parts));
    from = at + 1;
    return at !== -1;
  });
}

function hasParts(line: string, parts: readonly string[]): boolean {
  let from = 0;
  return parts.every((part) => {
    const at = line.indexOf(part, from);
    from = at + part.length;
    return at !== -1;
  });
}
