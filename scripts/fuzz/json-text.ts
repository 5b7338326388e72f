/** JSON as text, which can contain what no value of JavaScript can: huge numbers, a name twice. */
import fc from "fast-check";

/** Names that mean something to JavaScript, and names that mean nothing. */
export const ODD_NAMES = [
  ...["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "then", "toJSON"],
  ...["", " ", "\u0000", "ok", "error", "Session_id", "session_id ", "sessionId", "é"],
];

export const ODD_STRINGS = [
  ...ODD_NAMES,
  ...["*", ">", "a.*", "a.>", "$KV.tasks.held", "..", "a..b", ".a", "a.", "a b", "a\nb", "a\r\nb"],
  ...["\ufeff", "\u202e", "\u2028", "👩‍👩‍👧‍👦", "ａ", "null", "true", "0", "-1", "NaN"],
  ...["2025-01-01T00:00:00Z", "99999999999999999999:held", "0:", ":", "1:*", "'; --", "{{7*7}}"],
  ...["${jndi}", "%00", "%s%n", "../../etc/passwd", "\u001b[31m"],
  ...["lease expired", "connection lost", "stopped as asked"],
];

export const ODD_NUMBERS = [
  ...["0", "-0", "-1", "1.5", "0.1", "0e999", "1e20", "5e-324", "1E2", "1.0", "1e308"],
  ...["2147483648", "4294967296", "9007199254740991", "9007199254740992", "1e0000000002"],
  ...["86401", "1000001", "0.30000000000000004", "1970670598291982300"],
];

/** Values that are refused everywhere, because they would be stored as something else. */
export const LOST_NUMBERS = [
  ...["1e-400", "1e400", "-1e999", "-9007199254740993", "18446744073709551616"],
  ...["1970670598291982290", "3.14159265358979323846", `1${"0".repeat(400)}`],
];
export const LOST_STRINGS = ["\ud800", "\udfff\ud800", "a\udc80", "👩\ud83d"];

export function quoted(text: string): string {
  return JSON.stringify(text);
}

export function objectText(fields: readonly (readonly [string, string])[]): string {
  return `{${fields.map(([name, value]) => `${quoted(name)}:${value}`).join(",")}}`;
}

export function arrayText(items: readonly string[]): string {
  return `[${items.join(",")}]`;
}

export function weighted<T>(
  ...choices: readonly (readonly [weight: number, arbitrary: fc.Arbitrary<T>])[]
): fc.Arbitrary<T> {
  return fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })));
}

const repeated = fc
  .tuple(fc.constantFrom("a", "é", '"', "\\", "👩", ".a"), fc.integer({ min: 1, max: 2_000 }))
  .map(([unit, count]) => unit.repeat(count));

/** Text of any kind and length. */
export function anyString(): fc.Arbitrary<string> {
  return weighted(
    [20, fc.constantFrom(...ODD_STRINGS)],
    [15, fc.string({ unit: "binary", maxLength: 40 })],
    [10, fc.string({ maxLength: 20 })],
    [1, fc.constantFrom(...LOST_STRINGS)],
    [5, repeated],
  );
}

const scalar = weighted(
  [10, fc.constantFrom("null", "true", "false", "{}", "[]")],
  [10, fc.constantFrom(...ODD_NUMBERS)],
  [10, fc.double({ noNaN: true, noDefaultInfinity: true }).map(String)],
  [10, anyString().map(quoted)],
  [1, fc.constantFrom(...LOST_NUMBERS)],
);

/** A value inside many brackets. */
const deep = fc
  .tuple(fc.constantFrom("[", '{"a":'), fc.integer({ min: 1, max: 200 }), scalar)
  .map(([open, depth, inner]) => {
    const close = open === "[" ? "]" : "}";
    return open.repeat(depth) + inner + close.repeat(depth);
  });

const { nested } = fc.letrec<{ nested: string; list: string; object: string }>((tie) => ({
  nested: fc.oneof({ depthSize: "small" }, scalar, tie("list"), tie("object")),
  list: fc.array(tie("nested"), { maxLength: 4 }).map(arrayText),
  object: fc
    .array(fc.tuple(fc.oneof(fc.constantFrom(...ODD_NAMES), fc.string()), tie("nested")), {
      maxLength: 4,
    })
    .map(objectText),
}));

/** Any JSON. Some of it is too deep. */
export function anyJson(): fc.Arbitrary<string> {
  return weighted([8, nested], [5, scalar], [1, deep]);
}

/** JSON for a field that accepts any. It leaves a few levels of depth to the object around it. */
export function storableJson(): fc.Arbitrary<string> {
  return nested;
}
