import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { lastLine, lastLines, type OutputEnd } from "../../../src/cli/run/output-text.ts";

function end(text: string | Buffer, isCut = false): OutputEnd {
  return { bytes: Buffer.from(text), isCut };
}

/** The last bytes of a character of three bytes, as a cut leaves them. */
const HALF_CHARACTER = Buffer.from("€").subarray(1);

describe("the last line of an output", () => {
  for (const [output, expected] of [
    ["one\ntwo\n", "two"],
    ["one\r\ntwo\r\n", "two"],
    ["one\ntwo", "two"],
    ["one\n\n  \n", "one"],
    ["10 %\r50 %\r100 %", "100 %"],
    ["  indented \n", "  indented "],
    ["a\0b\n", "a\0b"],
  ] as const) {
    it(`of ${JSON.stringify(output)} is ${JSON.stringify(expected)}`, () => {
      assert.deepEqual(lastLine(end(output)), { text: expected, isCut: false });
    });
  }

  it("does not exist if nothing but blanks was written", () => {
    assert.equal(lastLine(end("")), null);
    assert.equal(lastLine(end("\n \r\n\t\n")), null);
  });

  it("is cut if the output begins inside it", () => {
    assert.deepEqual(lastLine(end("long\n", true)), { text: "long", isCut: true });
    assert.deepEqual(lastLine(end("long\nlast", true)), { text: "last", isCut: false });
  });

  it("begins with a whole character", () => {
    const cut = Buffer.concat([HALF_CHARACTER, Buffer.from("100")]);
    assert.deepEqual(lastLine(end(cut, true)), { text: "100", isCut: true });
  });

  it("has a replacement for bytes that are not UTF-8", () => {
    const bytes = Buffer.from([0x61, 0xff, 0x62, 0x0a]);
    assert.deepEqual(lastLine(end(bytes)), { text: "a\u{FFFD}b", isCut: false });
  });
});

describe("the last lines of an output", () => {
  it("are all lines of a short output", () => {
    assert.equal(lastLines(end("\none\ntwo\n\n")), "\none\ntwo");
  });

  it("begin with the first whole line of a long output", () => {
    assert.equal(lastLines(end("f a line\none\ntwo\n", true)), "one\ntwo");
  });

  it("are the end of a line if there is no whole line", () => {
    assert.equal(lastLines(end("f a line\n", true)), "f a line");
    assert.equal(lastLines(end(Buffer.concat([HALF_CHARACTER, Buffer.from("abc")]), true)), "abc");
  });
});
