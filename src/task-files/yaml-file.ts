/**
 * Reads YAML. The syntax tree of a large file would take gigabytes, so a long list is parsed in portions.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
  type YAMLError,
} from "yaml";
import { isExactNumber } from "../protocol/exact-number.ts";
import { meaningOf } from "./field-names.ts";
import { inexactNumber, setField } from "./json.ts";
import type { Parsed } from "./objects.ts";
import { Places } from "./places.ts";
import type { ReadDrafts } from "./reading.ts";

/** A longer list is parsed in portions of about so many characters. */
const PORTION = 256 * 1024;
/** A few lines of aliases can stand for billions of values. */
const MAX_VALUES_OF_ALIASES = 100_000;
const MAX_DEPTH = 200;
const MAX_SYNTAX_ERRORS = 20;

export function parseYamlFile(to: ReadDrafts): Parsed | null {
  const { source, findings } = to;
  const places = new Places();
  const errorsBefore = findings.errors.count;
  const values: unknown[] = [];
  const offsets: number[] = [];
  for (const [start, end] of portionsOf(source.text)) {
    const value = parsePortion(to, places, start, end);
    if (value === null) continue;
    values.push(value);
    offsets.push(start);
    if (findings.errors.count - errorsBefore > MAX_SYNTAX_ERRORS) break;
  }
  return { values, places, offsets };
}

/**
 * The whole text, or portions of a list. A line that begins with "- " in the first column begins an entry,
 * because everything inside of an entry is indented.
 */
function portionsOf(text: string): readonly (readonly [start: number, end: number])[] {
  const [head = ""] = /^(?:(?:#.*|---)?[ \t]*\r?\n)*(?=- )/.exec(text) ?? [""];
  const isList = text.startsWith("- ", head.length);
  // Aliases refer to other entries.
  if (text.length <= 2 * PORTION || !isList || /[\s[{,]\*[\w-]/.test(text))
    return [[0, text.length]];
  const portions: [number, number][] = [];
  let start = 0;
  while (start < text.length) {
    const next = start + PORTION < text.length ? text.indexOf("\n- ", start + PORTION) : -1;
    const end = next === -1 ? text.length : next + 1;
    portions.push([start, end]);
    start = end;
  }
  return portions;
}

function parsePortion(
  { source, findings }: ReadDrafts,
  places: Places,
  start: number,
  end: number,
): unknown {
  const document = parseDocument(source.text.slice(start, end), {
    keepSourceTokens: false,
    lineCounter: new LineCounter(),
    prettyErrors: false,
    uniqueKeys: true,
    stringKeys: true,
  });
  const problems: YAMLError[] = [...document.errors, ...document.warnings];
  for (const problem of problems.slice(0, MAX_SYNTAX_ERRORS)) {
    findings.error(source, start + problem.pos[0], worded(problem));
  }
  if (problems.length > 0) return null;
  const builder = new Builder(document, places, start, (offset, message) => {
    findings.error(source, offset, message);
  });
  return document.contents === null ? [] : builder.valueOf(document.contents, null, 0);
}

/** The library's words, and the cure where it is known. */
function worded({ code, message }: YAMLError): string {
  if (code === "MULTIPLE_DOCS")
    return "the file has several YAML documents: put the tasks into one list";
  if (code === "DUPLICATE_KEY") return "the field is there twice: remove one of them";
  if (code === "TAB_AS_INDENT") return "a tab is used to indent: use spaces";
  return `is not valid YAML: ${message}`;
}

/** Builds plain values out of the syntax tree, and remembers where they stand. */
class Builder {
  readonly #document: ReturnType<typeof parseDocument>;
  readonly #places: Places;
  readonly #start: number;
  readonly #onRefused: (offset: number, message: string) => void;
  #valuesOfAliases = 0;
  #aliasDepth = 0;
  #isBomb = false;

  constructor(
    document: ReturnType<typeof parseDocument>,
    places: Places,
    start: number,
    onRefused: (offset: number, message: string) => void,
  ) {
    this.#document = document;
    this.#places = places;
    this.#start = start;
    this.#onRefused = onRefused;
  }

  /** @param field the name of the field around the value, because an id such as 1.10 is not a number */
  valueOf(node: Node | null, field: string | null, depth: number): unknown {
    if (node === null || this.#isBomb) return null;
    const offset = this.#offsetOf(node);
    if (depth > MAX_DEPTH) {
      this.#onRefused(offset, `is nested more than ${MAX_DEPTH} levels deep: flatten it`);
      this.#isBomb = true;
      return null;
    }
    if (this.#aliasDepth > 0 && ++this.#valuesOfAliases > MAX_VALUES_OF_ALIASES) {
      this.#onRefused(
        offset,
        `aliases stand for more than ${MAX_VALUES_OF_ALIASES} values: write them out`,
      );
      this.#isBomb = true;
      return null;
    }
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (target !== undefined) return this.#aliased(target, field, depth);
      this.#onRefused(offset, `the alias *${node.source} has no anchor &${node.source}`);
      return null;
    }
    if (isScalar(node)) return this.#scalar(node, field, offset);
    if (isSeq(node)) return this.#list(node.items as Node[], field, offset, depth);
    if (isMap(node)) {
      return this.#object(node.items as { key: Node; value: Node | null }[], field, offset, depth);
    }
    return null;
  }

  #aliased(target: Node | null, field: string | null, depth: number): unknown {
    this.#aliasDepth++;
    const value = this.valueOf(target, field, depth + 1);
    this.#aliasDepth--;
    return value;
  }

  #list(items: readonly Node[], field: string | null, offset: number, depth: number): unknown[] {
    const inside = new Map<number, number>();
    const list = items.map((item, index) => {
      inside.set(index, this.#offsetOf(item));
      return this.valueOf(item, field, depth + 1);
    });
    if (Places.isRecorded(depth + 1)) this.#places.record(list, offset, inside);
    return list;
  }

  #object(
    pairs: readonly { readonly key: Node; readonly value: Node | null }[],
    field: string | null,
    offset: number,
    depth: number,
  ): object {
    const object: Record<string, unknown> = {};
    const inside = new Map<string, number>();
    const isFree = field !== null && FREE_FIELDS.has(meaningOf(field) ?? "");
    for (const { key, value } of pairs) {
      const name = isScalar(key) ? (key.source ?? String(key.value)) : "";
      inside.set(name, this.#offsetOf(key));
      setField(object, name, this.valueOf(value, isFree ? field : name, depth + 1));
    }
    if (Places.isRecorded(depth + 1)) this.#places.record(object, offset, inside);
    return object;
  }

  #scalar({ value, source = "", type }: Scalar, field: string | null, offset: number): unknown {
    if (typeof value === "string" || value === null) return this.#text(value, offset);
    const isPlain = type === "PLAIN";
    if (isPlain && field !== null && TEXT_FIELDS.has(meaningOf(field) ?? "")) return source;
    if (typeof value === "boolean") return value;
    if (typeof value === "number" && Number.isFinite(value)) {
      const isDecimal = /^[-+]?[\d.]+(?:[eE][-+]?\d+)?$/.test(source);
      if (isDecimal && !isExactNumber(source.replace(/^\+/, ""))) {
        this.#onRefused(offset, inexactNumber(source));
      } else if (!isDecimal && !Number.isSafeInteger(value)) {
        this.#onRefused(offset, inexactNumber(String(value)));
      }
      return value;
    }
    this.#onRefused(offset, `${source} is not a value that JSON has: write it as a text in quotes`);
    return null;
  }

  #text(value: string | null, offset: number): string | null {
    if (value?.isWellFormed() === false) {
      this.#onRefused(offset, "the text has half of a surrogate pair, which is not a character");
    }
    return value;
  }

  #offsetOf(node: Node | null): number {
    return this.#start + (node?.range?.[0] ?? 0);
  }
}

/** In these, a field called `id` is the user's own. */
const FREE_FIELDS: ReadonlySet<string> = new Set(["metadata", "payload", "result", "more"]);

/** YAML reads 1.10 as the number 1.1 and true as a truth value, but here they are texts. */
const TEXT_FIELDS: ReadonlySet<string> = new Set([
  ...["task_id", "depends_on", "title", "description", "tags", "requires", "status", "owner"],
  ...["claimed_by", "completed_by", "not_before", "completed_at"],
]);
