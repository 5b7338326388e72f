/**
 * Adds an entry to a JSON file that people edit, and takes it out again. Comments, trailing commas, indentation
 * and line ends of the rest stay as they are: the file is changed as text, at a place that the parser finds.
 */
import {
  findNodeAtLocation,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from "jsonc-parser";
import { ConfigFileError, type Entry } from "./entry.ts";

const PARSING = { allowTrailingComma: true, disallowComments: false };

/** The text with the entry. The same text if it has the entry already. @throws ConfigFileError */
export function addToJson(text: string, { path, value }: Entry): string {
  if (text.trim() === "") return `${JSON.stringify(nested(path, value), null, 2)}\n`;
  const root = parsed(text);
  const found = findNodeAtLocation(root, [...path]);
  if (found !== undefined) return replaced(text, root, found, value);
  // The deepest object that exists gets the rest of the path.
  let depth = path.length - 1;
  while (depth > 0 && findNodeAtLocation(root, path.slice(0, depth)) === undefined) depth--;
  const parent = depth === 0 ? root : findNodeAtLocation(root, path.slice(0, depth));
  if (parent?.type !== "object") {
    throw new ConfigFileError(`${path.slice(0, depth).join(".") || "the file"} is not an object`);
  }
  const { position, insertion } = insertionInto(text, parent, path.slice(depth), value);
  return text.slice(0, position) + insertion + text.slice(position);
}

/** The text without the entry. The same text if it has none. @throws ConfigFileError */
export function removeFromJson(text: string, entry: Entry): string {
  if (text.trim() === "") return text;
  const root = parsed(text);
  const value = findNodeAtLocation(root, [...entry.path]);
  if (value === undefined) return text;
  if (text === addToJson("", entry)) return "";
  // If adding again gives this text, that is what there was before.
  for (let depth = 1; depth <= entry.path.length; depth++) {
    const before = withoutAdded(text, root, entry, depth);
    if (before !== null) return before;
  }
  return withoutProperty(text, value);
}

/** Whether the file has exactly this entry. @throws ConfigFileError */
export function isInJson(text: string, entry: Entry): boolean {
  return text.trim() !== "" && addToJson(text, entry) === text;
}

function parsed(text: string): Node {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, PARSING);
  const [error] = errors;
  if (error === undefined && root?.type === "object") return root;
  if (error === undefined) throw new ConfigFileError("the file is not a JSON object");
  const before = text.slice(0, error.offset).split("\n");
  const place = `line ${before.length}, column ${(before.at(-1) ?? "").length + 1}`;
  throw new ConfigFileError(`${place}: ${printParseErrorCode(error.error)}`);
}

function replaced(text: string, root: Node, found: Node, value: unknown): string {
  const { offset, length } = found;
  const end = offset + length;
  if (JSON.stringify(valueOf(text.slice(offset, end))) === JSON.stringify(value)) return text;
  const own = jsonAt(text, value, indentAt(text, offset), unitOf(text, root));
  return text.slice(0, offset) + own + text.slice(end);
}

function valueOf(text: string): unknown {
  const node = parseTree(text, [], PARSING);
  return node === undefined ? undefined : toValue(node);
}

function toValue({ type, value, children = [] }: Node): unknown {
  if (type === "array") return children.map(toValue);
  if (type !== "object") return value as unknown;
  const entries = children.map(({ children: [name, inner] = [] }) => [
    String(name?.value),
    inner === undefined ? undefined : toValue(inner),
  ]);
  return Object.fromEntries(entries) as unknown;
}

function insertionInto(
  text: string,
  object: Node,
  path: readonly string[],
  value: unknown,
): { readonly position: number; readonly insertion: string } {
  const { offset, length, children = [] } = object;
  const [name = "", ...rest] = path;
  const content = nested(rest, value);
  const inner = text.slice(offset + 1, offset + length - 1);
  const comma = children.length > 0 ? "," : "";
  if (children.length > 0 && !inner.includes("\n")) {
    const insertion = ` ${JSON.stringify(name)}: ${JSON.stringify(content)}${comma}`;
    return { position: offset + 1, insertion };
  }
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  const outer = indentAt(text, offset);
  const unit = unitOf(text, object);
  const property = `${JSON.stringify(name)}: ${jsonAt(text, content, outer + unit, unit)}${comma}`;
  const end = inner.includes("\n") ? "" : eol + outer;
  // A comment behind the brace belongs to the object.
  const [behind = ""] =
    /^[ \t]*(?:\/\/[^\r\n]*|\/\*[^\r\n]*?\*\/[ \t]*)(?=\r?\n)/.exec(inner) ?? [];
  const insertion = `${eol}${outer}${unit}${property}${end}`;
  return { position: offset + 1 + behind.length, insertion };
}

/** The text before `addToJson`, if it has added the path from this depth on; otherwise `null`. */
function withoutAdded(text: string, root: Node, entry: Entry, depth: number): string | null {
  const parent = depth === 1 ? root : findNodeAtLocation(root, entry.path.slice(0, depth - 1));
  const value = findNodeAtLocation(root, entry.path.slice(0, depth));
  if (parent === undefined || value === undefined) return null;
  const nameAt = value.parent?.offset ?? value.offset;
  const gap = /\s*$/.exec(text.slice(parent.offset + 1, nameAt))?.[0].length ?? 0;
  const start = nameAt - gap;
  const valueEnd = value.offset + value.length;
  const ends = [...(/^,|^\r?\n[ \t]*|^/.exec(text.slice(valueEnd)) ?? []), ""].map(
    (end) => valueEnd + end.length,
  );
  for (const end of ends) {
    const before = text.slice(0, start) + text.slice(end);
    if (isReadable(before) && addToJson(before, entry) === text) return before;
  }
  return null;
}

function isReadable(text: string): boolean {
  const errors: ParseError[] = [];
  return parseTree(text, errors, PARSING)?.type === "object" && errors.length === 0;
}

/** People have moved or changed the entry: the property goes, with one comma. */
function withoutProperty(text: string, value: Node): string {
  const start = value.parent?.offset ?? value.offset;
  const end = value.offset + value.length;
  const [after] = /^\s*,/.exec(text.slice(end)) ?? [];
  const [line = ""] = /(?:\r?\n)?[ \t]*$/.exec(text.slice(0, start)) ?? [];
  if (after !== undefined)
    return text.slice(0, start - line.length) + text.slice(end + after.length);
  const before = text.slice(0, start).replace(/,\s*$/, "");
  const isLast = before.length < start - line.length;
  return (isLast ? before : text.slice(0, start - line.length)) + text.slice(end);
}

function nested(path: readonly string[], value: unknown): unknown {
  return path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
}

/** The spaces or tabs at the beginning of the line. */
function indentAt(text: string, offset: number): string {
  const lineStart = text.lastIndexOf("\n", offset - 1) + 1;
  return /^[ \t]*/.exec(text.slice(lineStart, offset))?.[0] ?? "";
}

/** One step of indentation, as the object has it, otherwise as the file has it first. */
function unitOf(text: string, object: Node): string {
  const first = object.children?.[0];
  const outer = indentAt(text, object.offset);
  const inner = first === undefined ? "" : indentAt(text, first.offset);
  if (inner.length > outer.length && inner.startsWith(outer)) return inner.slice(outer.length);
  return /\n([ \t]+)\S/.exec(text)?.[1] ?? "  ";
}

function jsonAt(text: string, value: unknown, indent: string, unit: string): string {
  const eol = text.includes("\r\n") ? "\r\n" : "\n";
  return JSON.stringify(value, null, unit).replaceAll("\n", eol + indent);
}
