import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TrailingWrites } from "../../scripts/soak/bucket-figures.ts";

describe("the trailing writes", () => {
  it("are known after their span of time has passed", () => {
    const writes = new TrailingWrites(10);
    assert.equal(writes.add(0, 100), null);
    assert.equal(writes.add(9, 190), null);
    assert.equal(writes.add(10, 200), 100);
  });

  it("leave out writes before their span of time", () => {
    const writes = new TrailingWrites(10);
    const found = Array.from({ length: 40 }, (_, at) =>
      writes.add(at, 1000 + (at < 20 ? 50 * at : 1000 + at)),
    );
    assert.equal(found[19], 500);
    assert.equal(found[39], 10);
  });

  it("begin at the last sample before the span if there is none at its start", () => {
    const writes = new TrailingWrites(10);
    writes.add(0, 0);
    writes.add(3, 30);
    assert.equal(writes.add(25, 250), 220);
    assert.equal(writes.add(36, 360), 110);
  });
});
