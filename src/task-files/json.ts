/**
 * Parses JSON and remembers where its objects stand. `JSON.parse` does not: its errors have no line in
 * every version of Node, it takes the last of two fields with the same name, and it rounds numbers.
 */
import { isExactNumber, writtenAgain } from "../protocol/exact-number.ts";
import { Places } from "./places.ts";

export class SyntaxProblem extends Error {
  override readonly name = "SyntaxProblem";
  readonly offset: number;

  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

/** A value that JSON allows and the coordinator does not. Parsing goes on after it. */
export type OnRefused = (offset: number, message: string) => void;

/** Deeper texts would exhaust the stack. The coordinator takes less. */
const MAX_DEPTH = 200;

/**
 * The value between two offsets of a text.
 *
 * @throws SyntaxProblem
 */
export function parseJson(
  text: string,
  places: Places,
  onRefused: OnRefused,
  [start, end]: readonly [number, number] = [0, text.length],
): unknown {
  const reader = new JsonReader(text, places, onRefused, start, end);
  return reader.document();
}

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[A-Za-z_$][\w$]*/y;
const CONTROL = /[\u0000-\u001f]/;
const LITERALS = new Map<string, unknown>([
  ["true", true],
  ["false", false],
  ["null", null],
]);

class JsonReader {
  readonly #text: string;
  readonly #places: Places;
  readonly #onRefused: OnRefused;
  readonly #end: number;
  #at: number;
  #depth = 0;

  constructor(text: string, places: Places, onRefused: OnRefused, start: number, end: number) {
    this.#text = text;
    this.#places = places;
    this.#onRefused = onRefused;
    this.#at = start;
    this.#end = end;
  }

  document(): unknown {
    this.#skipSpace();
    const value = this.#value();
    this.#skipSpace();
    if (this.#at < this.#end) {
      this.#fail(
        `the JSON value ends before ${this.#next()}: remove what follows, or name the format`,
      );
    }
    return value;
  }

  #value(): unknown {
    const character = this.#text[this.#at];
    if (this.#at >= this.#end || character === undefined) {
      this.#fail("the JSON text ends in the middle: a value is missing");
    }
    if (character === "{") return this.#nested(() => this.#object());
    if (character === "[") return this.#nested(() => this.#array());
    if (character === '"') return this.#string();
    if (character === "-" || (character >= "0" && character <= "9")) return this.#number();
    const word = this.#match(WORD);
    if (word !== null && LITERALS.has(word)) {
      this.#at += word.length;
      return LITERALS.get(word);
    }
    const cure = character === "'" ? ' Strings have double quotes: "..."' : "";
    return this.#fail(`${this.#next()} is not a JSON value.${cure}`);
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH)
      this.#fail(`is nested more than ${MAX_DEPTH} levels deep: flatten it`);
    const value = read();
    this.#depth--;
    return value;
  }

  #object(): object {
    const [start, depth] = [this.#at, this.#depth];
    const value: Record<string, unknown> = {};
    const inside = new Map<string, number>();
    this.#at++;
    this.#skipSpace();
    while (this.#text[this.#at] !== "}") {
      const at = this.#at;
      if (this.#text[at] !== '"') this.#fail(this.#missingName());
      const name = this.#string();
      if (inside.has(name)) {
        this.#onRefused(at, `the field ${JSON.stringify(name)} is there twice: remove one of them`);
      }
      inside.set(name, at);
      this.#skipSpace();
      if (this.#text[this.#at] !== ":") this.#fail(`":" is missing before ${this.#next()}`);
      this.#at++;
      this.#skipSpace();
      setField(value, name, this.#value());
      this.#comma("}");
    }
    this.#at++;
    if (Places.isRecorded(depth)) this.#places.record(value, start, inside);
    return value;
  }

  #array(): unknown[] {
    const [start, depth] = [this.#at, this.#depth];
    const value: unknown[] = [];
    const inside = new Map<number, number>();
    this.#at++;
    this.#skipSpace();
    while (this.#text[this.#at] !== "]") {
      if (Places.isRecorded(depth)) inside.set(value.length, this.#at);
      value.push(this.#value());
      this.#comma("]");
    }
    this.#at++;
    if (Places.isRecorded(depth)) this.#places.record(value, start, inside);
    return value;
  }

  /** After an element: a comma and another element, or the end. */
  #comma(end: "}" | "]"): void {
    this.#skipSpace();
    const character = this.#text[this.#at];
    if (character === end && this.#at < this.#end) return;
    if (character !== ",") this.#fail(`"," or "${end}" is missing before ${this.#next()}`);
    const comma = this.#at;
    this.#at++;
    this.#skipSpace();
    if (this.#text[this.#at] === end) {
      this.#at = comma;
      this.#fail(`remove the "," before "${end}"`);
    }
  }

  #missingName(): string {
    return `a field name in double quotes is missing before ${this.#next()}`;
  }

  #string(): string {
    const start = this.#at;
    let close = this.#text.indexOf('"', start + 1);
    while (close !== -1 && this.#isEscaped(close, start))
      close = this.#text.indexOf('"', close + 1);
    if (close === -1 || close >= this.#end)
      this.#fail("the string is never closed: add a double quote");
    const raw = this.#text.slice(start + 1, close);
    const control = CONTROL.exec(raw);
    if (control !== null) {
      this.#at = start + 1 + control.index;
      this.#fail(
        control[0] === "\n" || control[0] === "\r"
          ? "the string is not closed on its line: close it, or write a line break as \\n"
          : `a control character must be written as an escape such as \\u${hex(control[0])}`,
      );
    }
    this.#at = close + 1;
    if (!raw.includes("\\")) return raw;
    let value: string;
    try {
      value = JSON.parse(`"${raw}"`) as string;
    } catch {
      const escape = /\\(?:[^"\\/bfnrtu]|u(?![0-9a-fA-F]{4}))/.exec(raw.replaceAll("\\\\", "__"));
      this.#at = start + 1 + (escape?.index ?? 0);
      return this.#fail('the escape is not one of JSON: \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX');
    }
    if (!value.isWellFormed()) {
      this.#onRefused(
        start,
        "the string has half of a surrogate pair, which is not a character: write well-formed Unicode",
      );
    }
    return value;
  }

  #isEscaped(quote: number, start: number): boolean {
    let backslashes = 0;
    while (quote - 1 - backslashes > start && this.#text[quote - 1 - backslashes] === "\\") {
      backslashes++;
    }
    return backslashes % 2 === 1;
  }

  #number(): number {
    const literal = this.#match(NUMBER);
    if (literal === null) return this.#fail(`${this.#next()} is not a JSON number`);
    if (!isExactNumber(literal)) this.#onRefused(this.#at, inexactNumber(literal));
    this.#at += literal.length;
    if (/[\w.]/.test(this.#text[this.#at] ?? "")) {
      this.#at -= literal.length;
      this.#fail(`${this.#next()} is not a JSON number: write it as a string in double quotes`);
    }
    return Number(literal);
  }

  #skipSpace(): void {
    const code = this.#text.charCodeAt(this.#at);
    if (code > 32) return;
    SPACE.lastIndex = this.#at;
    SPACE.test(this.#text);
    this.#at = Math.min(Math.max(this.#at, SPACE.lastIndex), this.#end);
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0] ?? null;
  }

  /** What stands at the place of an error. */
  #next(): string {
    if (this.#at >= this.#end) return "the end of the text";
    const [word] = /^[^\s,:{}[\]"]{1,20}|^./su.exec(this.#text.slice(this.#at, this.#at + 40)) ?? [
      "",
    ];
    return JSON.stringify(word.toWellFormed());
  }

  #fail(message: string): never {
    throw new SyntaxProblem(Math.min(this.#at, this.#end), message);
  }
}

/** A plain assignment of `__proto__` would change the prototype. */
export function setField(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== "__proto__") object[name] = value;
  else
    Object.defineProperty(object, name, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
}

export function inexactNumber(literal: string): string {
  const [given, kept] = [literal, writtenAgain(literal)].map((text) =>
    text.length > 40 ? `${text.slice(0, 40)}...` : text,
  );
  return `the number ${given} would become ${kept}: write it as a string`;
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(4, "0");
}
