import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { printable, shortened } from "../../../src/cli/shared/terminal-text.ts";

describe("printable text", () => {
  it("keeps the text of people in any language", () => {
    for (const text of ["Write the parser", "Größe prüfen", "漢字タイトル 🎉", "نص عربي", ""]) {
      assert.equal(printable(text), text);
    }
  });

  it("shows an escape as its picture, so that it reaches no terminal", () => {
    assert.equal(printable("a\u001B[31mred\u001B[0m"), "a␛[31mred␛[0m");
    assert.equal(printable("\u001B]0;title\u0007"), "␛]0;title␇");
    assert.equal(printable("\u007F\u0000"), "\uFFFD␀");
    // The same sequences with one control character of eight bits.
    assert.equal(printable("\u009B31m"), "\uFFFD31m");
  });

  it("makes one line of several", () => {
    assert.equal(printable("a\nb\tc\r\u2028d"), "a b c  d");
  });

  it("replaces marks that are invisible or change the direction of text", () => {
    assert.equal(printable("ab\u202Edc\u2066\u061C\uFEFF"), "ab\uFFFDdc\uFFFD\uFFFD\uFFFD");
  });

  it("leaves out the marks that join emoji, because terminals disagree about their width", () => {
    assert.equal(printable("👩\u200D👧 ❤\uFE0F 👍🏽"), "👩👧 ❤ 👍");
  });

  it("never lets a control character through", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        assert.doesNotMatch(printable(text), /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
      }),
    );
  });
});

describe("shortened text", () => {
  it("ends with … in place of what is left out, between characters as people see them", () => {
    assert.equal(shortened("abcd", 4), "abcd");
    assert.equal(shortened("abcde", 4), "abc…");
    assert.equal(shortened("🎉🎉🎉🎉", 3), "🎉🎉…");
  });
});
