/** What docs/protocol.md says about ids and JSON, by other means than the code of the coordinator. */
import type { Schema } from "./schema-bodies.ts";

const MAX_DEPTH = 64;
const SCALAR = /"(?:[^"\\]|\\.)*"|-?\d[-+.\deE]*/g;

/** 1 to 256 characters, with single dots between them. */
export function isId(text: string): boolean {
  const parts = text.split(".");
  return text.length <= 256 && parts.every((part) => part !== "" && /^[\w=/-]+$/.test(part));
}

/** Whether a parsed value nests deeper than the protocol allows. */
export function isTooDeep(value: unknown, left = MAX_DEPTH): boolean {
  if (typeof value !== "object" || value === null) return false;
  return left === 0 || Object.values(value).some((inner) => isTooDeep(inner, left - 1));
}

/** The fields in which null is a value. */
const NULL_IS_A_VALUE = ["payload", "description", "progress", "result", "error"];

/** Removes the fields that are null, because "null means absent". Keeps fields that are unknown. */
export function withoutNulls(json: unknown, schema: Schema): unknown {
  if (Array.isArray(json)) return json.map((one) => withoutNulls(one, schema.items ?? {}));
  const { properties } = schema;
  if (typeof json !== "object" || json === null || properties === undefined) return json;
  return Object.fromEntries(
    Object.entries(json).flatMap(([name, value]: [string, unknown]) => {
      const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
      if (property === undefined || NULL_IS_A_VALUE.includes(name)) return [[name, value]];
      return value === null ? [] : [[name, withoutNulls(value, property)]];
    }),
  );
}

/** Whether all numbers and strings can be stored exactly. @param text valid JSON */
export function isKept(text: string): boolean {
  for (const [token] of text.matchAll(SCALAR)) {
    if (token.startsWith('"') ? hasLoneSurrogate(token) : !isSameDecimal(token)) return false;
  }
  return true;
}

function hasLoneSurrogate(token: string): boolean {
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
