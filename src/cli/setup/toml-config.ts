/** Adds a table to a TOML file that people edit, at its end, and takes it out again. The rest stays as it is. */
import { parse, stringify, TomlError } from "smol-toml";
import { ConfigFileError, type Entry } from "./entry.ts";

/** The text with the table. The same text if it has the table already. @throws ConfigFileError */
export function addToToml(text: string, entry: Entry): string {
  const found = valueAt(text, entry);
  if (JSON.stringify(found) === JSON.stringify(entry.value)) return text;
  const base = found === undefined ? text : removeFromToml(text, entry);
  const added = base + separatorAfter(base) + tableOf(base, entry);
  if (JSON.stringify(valueAt(added, entry)) === JSON.stringify(entry.value)) return added;
  throw new ConfigFileError(`${entry.path.join(".")} cannot be added at the end of the file`);
}

/** The text without the table. The same text if it has none. @throws ConfigFileError */
export function removeFromToml(text: string, entry: Entry): string {
  if (valueAt(text, entry) === undefined) return text;
  const table = tableOf(text, entry);
  const at = text.indexOf(table);
  if (at >= 0) {
    const before = text.slice(0, at);
    const rest = text.slice(at + table.length);
    const separator = separatorAfter(before);
    const hasIt = separator !== "" && before.endsWith(separator);
    const base = hasIt ? before.slice(0, -separator.length) : before;
    if (isGone(base + rest, entry)) return base + rest;
  }
  const own = withoutTable(text, entry.path.join("."));
  if (isGone(own, entry)) return own;
  throw new ConfigFileError(
    `the table ${entry.path.join(".")} has another form: remove it by hand`,
  );
}

/** Whether the file has exactly this table. @throws ConfigFileError */
export function isInToml(text: string, entry: Entry): boolean {
  return JSON.stringify(valueAt(text, entry)) === JSON.stringify(entry.value);
}

function valueAt(text: string, { path }: Entry): unknown {
  let value: unknown = parsed(text);
  for (const name of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

function parsed(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason = ""] = error.message.split("\n");
    throw new ConfigFileError(`line ${error.line}, column ${error.column}: ${reason}`);
  }
}

function isGone(text: string, entry: Entry): boolean {
  try {
    return valueAt(text, entry) === undefined;
  } catch {
    return false;
  }
}

function tableOf(text: string, { path, value }: Entry): string {
  const lines = `[${path.join(".")}]\n${stringify(value).trimEnd()}\n`;
  return text.includes("\r\n") ? lines.replaceAll("\n", "\r\n") : lines;
}

/** An empty line, if the last line has an end. So the text before can be told from the text after. */
function separatorAfter(text: string): string {
  if (text === "") return "";
  return text.includes("\r\n") ? "\r\n" : "\n";
}

/** People have changed the table: everything from its header to the next one goes. */
function withoutTable(text: string, name: string): string {
  const lines = text.split("\n");
  const isOwn = (line: string): boolean => {
    const header = /^\s*\[([^\]]+)\]/.exec(line)?.[1]?.replaceAll(/["\s]/g, "");
    return header === name || header?.startsWith(`${name}.`) === true;
  };
  let isInside = false;
  const kept = lines.filter((line) => {
    if (/^\s*\[/.test(line)) isInside = isOwn(line);
    return !isInside;
  });
  return kept.join("\n");
}
