/**
 * Which JSON can be stored: a stored value must be the value that was sent. Three kinds of JSON are
 * refused where they come in.
 *
 * - Numbers that change when JavaScript parses them. A number is kept if the text that is written again
 *   has the same decimal value: 1.0 and 1 are the same number, and so are -0 and 0.
 * - Strings with half of a surrogate pair, which no other language can read.
 * - Arrays and objects nested so deep that writing them again would exhaust the stack.
 */
import { isExactNumber, writtenAgain } from "./exact-number.ts";

export const MAX_JSON_DEPTH = 64;

/** Whether arrays and objects in a parsed value are nested deeper than `levels`. */
export function isTooDeep(json: unknown, levels = MAX_JSON_DEPTH): boolean {
  if (typeof json !== "object" || json === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(json)) return json.some((inner) => isTooDeep(inner, levels - 1));
  for (const name in json) {
    if (isTooDeep((json as Record<string, unknown>)[name], levels - 1)) return true;
  }
  return false;
}

/** A part that cannot be stored unchanged, and where it is. */
export interface InexactPart {
  /** Names and positions, as in `tasks.0.payload.id`; empty if it is the whole value. */
  readonly path: string;
  /** What is wrong and the cure. */
  readonly problem: string;
}

/**
 * A number can only change if it has 16 characters or more before its exponent, or three digits or more
 * in its exponent. A double keeps every decimal of 15 digits.
 */
const LONG_NUMBER = /(?:^|[\s:,[])-?(?:[\d.]{16}|[\d.]+[eE][+-]?\d{3})/;
const LONG_RUN = 16;
const LONG_EXPONENT = /\d[eE][+-]?\d{3}/;
/** In text that was UTF-8, half a pair can only be an escape. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

/**
 * The first part that cannot be stored unchanged, or `null`. For nearly every text a quick search answers.
 *
 * @param text valid JSON
 */
export function inexactPart(text: string): InexactPart | null {
  return hasLongNumber(text) || SURROGATE_ESCAPE.test(text) ? scan(text) : null;
}

/** May be wrong about strings. The first two searches halve the time that the last one takes alone. */
function hasLongNumber(text: string): boolean {
  return (hasLongRun(text) || LONG_EXPONENT.test(text)) && LONG_NUMBER.test(text);
}

/** Whether there are 16 digits and points in a row. Looking at each 16th character is enough to find them. */
function hasLongRun(text: string): boolean {
  for (let i = LONG_RUN - 1; i < text.length; i += LONG_RUN) {
    let [start, end] = [i, i];
    while (end - start < LONG_RUN && isDigitOrPoint(text.charCodeAt(end))) end++;
    if (end === start) continue;
    while (end - start < LONG_RUN && isDigitOrPoint(text.charCodeAt(start - 1))) start--;
    if (end - start === LONG_RUN) return true;
  }
  return false;
}

function isDigitOrPoint(code: number): boolean {
  return isDigit(code) || code === POINT;
}

/** The part in words, for a message that already names the whole value. */
export function describeInexact({ path, problem }: InexactPart): string {
  return path === "" ? problem : `${path}: ${problem}`;
}

/** An array or object around the place of the scan. */
interface Place {
  /** The position in an array, or the name in an object with its quotes; `null` before a name. */
  at: number | string | null;
}

const NUMBER = /[-+.\deE]+/y;

function scan(text: string): InexactPart | null {
  const places: Place[] = [];
  for (let i = 0; i < text.length; i++) {
    switch (text[i]) {
      case "{":
        places.push({ at: null });
        break;
      case "[":
        places.push({ at: 0 });
        break;
      case "}":
      case "]":
        places.pop();
        break;
      case ",": {
        const place = places.at(-1);
        if (place !== undefined) place.at = typeof place.at === "number" ? place.at + 1 : null;
        break;
      }
      case '"': {
        const end = endOfString(text, i);
        const token = text.slice(i, end);
        i = end - 1;
        const place = places.at(-1);
        if (place?.at === null) place.at = token;
        if (!isWellFormed(token)) return { path: pathTo(places), problem: HALF_A_PAIR };
        break;
      }
      default: {
        NUMBER.lastIndex = i;
        const number = isStartOfNumber(text.charCodeAt(i)) ? NUMBER.exec(text)?.[0] : undefined;
        if (number === undefined) break;
        i += number.length - 1;
        if (!isExactNumber(number)) return { path: pathTo(places), problem: changed(number) };
      }
    }
  }
  return null;
}

/** The position after the closing quote. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return end + 1;
  }
  return text.length;
}

function isWellFormed(token: string): boolean {
  return !SURROGATE_ESCAPE.test(token) || (JSON.parse(token) as string).isWellFormed();
}

function isStartOfNumber(code: number): boolean {
  return code === MINUS || isDigit(code);
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const NINE = 57;

const HALF_A_PAIR =
  "has half of a surrogate pair, which is not a character: send well-formed Unicode";

function changed(number: string): string {
  const [given, kept] = [number, writtenAgain(number)].map((text) => shorten(text, 40));
  return `the number ${given} would become ${kept}: send it as a string`;
}

/** The path, shortened, because names can have any length. */
function pathTo(places: readonly Place[]): string {
  const names = places.slice(0, 100).map(({ at }) => {
    return typeof at === "string" ? (JSON.parse(at) as string).toWellFormed() : String(at);
  });
  return shorten(names.map((name) => shorten(name, 100)).join("."), 300);
}

function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}...` : text;
}
