import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sparkline } from "../../../src/cli/board/activity.ts";
import { progressText, shortNumber } from "../../../src/cli/board/format.ts";

describe("the short forms of the board", () => {
  it("are numbers of at most five characters", () => {
    const numbers = [0, 999, 1_000, 12_345, 99_949, 99_950, 999_499, 999_500, 1_234_567];
    assert.deepEqual(numbers.map(shortNumber), [
      "0",
      "999",
      "1k",
      "12.3k",
      "99.9k",
      "100k",
      "999k",
      "1M",
      "1.2M",
    ]);
  });

  it("are progress reports of any kind", () => {
    assert.equal(progressText({ done: 3, of: "ten" }), "done 3, of ten");
    assert.equal(progressText("half\nway"), "half way");
    assert.equal(progressText(0.5), "0.5");
    assert.equal(progressText([1, { a: null }]), '[1,{"a":null}]');
  });

  it("are charts in which nothing differs from little", () => {
    assert.equal(sparkline([0, 1, 50, 100], 4), "▁▂▅█");
    assert.equal(sparkline([5, 0, 0], 2), "▁▁", "the newest");
    assert.equal(sparkline([], 10), "");
  });
});
