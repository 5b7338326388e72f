/** Whether all numbers and strings of JSON can be kept, by the words of docs/protocol.md. */

const SCALAR = /"(?:[^"\\]|\\.)*"|-?\d[-+.\deE]*/g;

/** @param text valid JSON */
export function isKept(text: string): boolean {
  for (const [token] of text.matchAll(SCALAR)) {
    if (token.startsWith('"') ? hasHalfAPair(token) : !isSameDecimal(token)) return false;
  }
  return true;
}

function hasHalfAPair(token: string): boolean {
  return token.includes("\\u") && /\p{Surrogate}/u.test(JSON.parse(token) as string);
}

/** Compares whole numbers, after both have been multiplied by the same power of ten. */
function isSameDecimal(literal: string): boolean {
  const number = Number(literal);
  if (!Number.isFinite(number)) return false;
  if (number === 0) return !/^[^eE]*[1-9]/.test(literal);
  const given = scaled(literal);
  const kept = scaled(String(number));
  const power = Math.min(given.power, kept.power);
  const whole = ({ digits, power: own }: typeof given): bigint =>
    digits * 10n ** BigInt(own - power);
  return whole(given) === whole(kept);
}

function scaled(literal: string): { readonly digits: bigint; readonly power: number } {
  const [mantissa = "", power = "0"] = literal.toLowerCase().split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  return { digits: BigInt(whole + fraction), power: Number(power) - fraction.length };
}
