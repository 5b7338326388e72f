/** Finds numbers and text that JavaScript cannot keep, with their path, and nothing else. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { describeInexact, inexactPart } from "../../src/protocol/storable-json.ts";

describe("a number of JSON", () => {
  for (const literal of [
    ...["0", "-0", "1", "1.0", "100", "0.1", "-2.5", "1e2", "1E+2", "1e-7", "0e999", "0.0e-400"],
    ...["1e100", "1.50e300", "5e-324", "1.7976931348623157e308", "3.141592653589793"],
    ...["9007199254740991", "9007199254740992", "1970670598291982300", "123456789012345.600000"],
    ...["1000000000000000000000", "0.000000000000000000001", "1e0000000000000000002"],
  ]) {
    it(`is kept: ${literal}`, () => {
      for (const text of [literal, `[${literal}]`, `{"a":[1,${literal}]}`, ` ${literal}\n`]) {
        assert.equal(inexactPart(text), null);
      }
    });
  }

  for (const [literal, kept] of [
    ["9007199254740993", "9007199254740992"],
    ["1970670598291982290", "1970670598291982300"],
    ["-12345678901234567890", "-12345678901234567000"],
    ["3.14159265358979323846", "3.141592653589793"],
    ["0.12345678901234567", "0.12345678901234566"],
    ["1e400", "null"],
    ["-1E+0400", "null"],
    ["1e-400", "0"],
    ["4e-324", "5e-324"],
    ["12345678901234567e-3", "12345678901234.566"],
  ] as const) {
    it(`is found if it would change: ${literal}`, () => {
      const problem = `the number ${literal} would become ${kept}: send it as a string`;
      assert.deepEqual(inexactPart(literal), { path: "", problem });
      assert.deepEqual(inexactPart(`[1,"x", ${literal}]`), { path: "2", problem });
      const text = `{"a, \\"b\\"":"1e400","payload":{"ids":[{"id":1},{"id": ${literal}}]}}`;
      assert.deepEqual(inexactPart(text), { path: "payload.ids.1.id", problem });
    });
  }

  it("is kept in every spelling that JavaScript writes", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => inexactPart(JSON.stringify(value)) === null));
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        return inexactPart(JSON.stringify([number, { number }])) === null;
      }),
    );
  });

  it("is found exactly if parsing changes its decimal value", () => {
    const digits = fc.stringMatching(/^[0-9]{1,22}$/);
    const literal = fc
      .tuple(
        fc.boolean(),
        digits,
        fc.option(digits),
        fc.option(fc.integer({ min: -340, max: 340 })),
      )
      .map(([isNegative, whole, fraction, exponent]) => {
        const decimals = fraction === null ? "" : `.${fraction}`;
        const power = exponent === null ? "" : `e${exponent}`;
        return `${isNegative ? "-" : ""}${BigInt(whole)}${decimals}${power}`;
      });
    fc.assert(
      fc.property(literal, (text) => {
        const isKept = isSame(text, String(Number(text)));
        assert.equal(inexactPart(`{"n":${text}}`) === null, isKept, text);
      }),
      { numRuns: 5_000 },
    );
  });

  it("takes linear time, even if it is very long", () => {
    const megabyte = 1_048_576;
    const digits = "7".repeat(megabyte);
    for (const text of [
      `{"n":${digits}}`,
      `{"n":0.${digits}}`,
      `{"n":1${"0".repeat(megabyte)}1}`,
      `{"n":1e${digits}}`,
      `{"n":1e-${digits}}`,
    ]) {
      const part = inexactPart(text);
      assert.equal(part?.path, "n");
      assert.ok(part.problem.length < 200, part.problem);
    }
    // All of these can be kept, but each needs the slow scan.
    for (const text of [
      `{"n":[1e100,"${digits}",0.${"0".repeat(megabyte)}]}`,
      `[1e100,${"[".repeat(megabyte)}${"]".repeat(megabyte)}]`,
      `[1e100,"${"\\\\".repeat(megabyte)}"]`,
      `[1e100,"${'\\"'.repeat(megabyte)}"]`,
      `["${"\\ud83d\\ude00".repeat(megabyte / 12)}"]`,
      `[${" ".repeat(megabyte)}1e100${",1".repeat(megabyte)}]`,
    ]) {
      assert.equal(inexactPart(text), null);
    }
  });
});

describe("text of JSON", () => {
  for (const text of [
    '"\\ud83d\\ude00"',
    '{"\\uD83D\\uDE00":1}',
    '"\\\\ud800"',
    '"\\u0041\\ud7ff\\ue000"',
    '"😀"',
  ]) {
    it(`is kept if it is well-formed: ${text}`, () => {
      assert.equal(inexactPart(text), null);
    });
  }

  for (const [text, path] of [
    ['"\\ud800"', ""],
    ['{"title":"a\\uDFFFb"}', "title"],
    ['{"tags":["a","\\ude00\\ud83d"]}', "tags.1"],
    ['{"metadata":{"a":{},"x\\ud800":1}}', "metadata.x\ufffd"],
    ['{"a":"\\\\\\ud800"}', "a"],
  ] as const) {
    it(`is found if it has half a pair: ${text}`, () => {
      const part = inexactPart(text);
      assert.equal(part?.path, path);
      assert.match(describeInexact(part), /half of a surrogate pair.*send well-formed Unicode$/);
    });
  }

  it("is reported with a path that is short enough to read", () => {
    const name = "x".repeat(100_000);
    const part = inexactPart(`${`{"${name}":`.repeat(50)}1e400${"}".repeat(50)}`);
    assert.ok(part !== null && part.path.length <= 303);
  });
});

/** Compares integers, while the implementation compares digits. */
function isSame(a: string, b: string): boolean {
  if (b.includes("Infinity")) return false;
  const [x, y] = [fractionOf(a), fractionOf(b)];
  const power = Math.min(x.power, y.power);
  const scale = ({ digits, power: own }: typeof x): bigint => digits * 10n ** BigInt(own - power);
  return scale(x) === scale(y);
}

function fractionOf(text: string): { digits: bigint; power: number } {
  const [mantissa = "", power = "0"] = text.split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  return { digits: BigInt(whole + fraction), power: Number(power) - fraction.length };
}
