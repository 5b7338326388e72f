/** Whether a number of JSON stays the same when it is parsed and written again. Linear in its length. */

/** @param literal a number as JSON spells it */
export function isExactNumber(literal: string): boolean {
  if (literal.length < SAFE_LENGTH && !/[eE]/.test(literal)) return true;
  const number = Number(literal);
  return Number.isFinite(number) && isSameDecimal(decimalOf(literal), decimalOf(String(number)));
}
/** A double keeps every decimal of 15 digits; a sign and a point may be added. */
const SAFE_LENGTH = 16;

/** What would be stored instead: `null` for an infinite number, which JSON does not have. */
export function writtenAgain(literal: string): string {
  return JSON.stringify(Number(literal));
}

/** `0.digits` times ten to the power of `exponent`. `digits` has no zeros at its ends; zero has no digits. */
interface Decimal {
  readonly isNegative: boolean;
  readonly digits: string;
  readonly exponent: number;
}

function decimalOf(literal: string): Decimal {
  const isNegative = literal.startsWith("-");
  const [mantissa = "", power = "0"] = literal.slice(isNegative ? 1 : 0).split(/[eE]/);
  const [whole = "", fraction = ""] = mantissa.split(".");
  const all = whole + fraction;
  let start = 0;
  while (all[start] === "0") start++;
  let end = all.length;
  while (end > start && all[end - 1] === "0") end--;
  if (start === end) return { isNegative: false, digits: "", exponent: 0 };
  return {
    isNegative,
    digits: all.slice(start, end),
    exponent: Number(power) + whole.length - start,
  };
}

function isSameDecimal(a: Decimal, b: Decimal): boolean {
  return a.isNegative === b.isNegative && a.digits === b.digits && a.exponent === b.exponent;
}
