import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ByteTail } from "../../../src/cli/run/byte-tail.ts";

describe("the tail of an output", () => {
  it("has the last bytes of chunks of any size", () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 30 });
    fc.assert(
      fc.property(chunks, fc.integer({ min: 1, max: 20 }), (parts, limit) => {
        const tail = new ByteTail(limit);
        for (const part of parts) tail.add(Buffer.from(part));
        const all = Buffer.concat(parts);
        const start = Math.max(0, all.length - limit);
        assert.deepEqual(Buffer.from(tail.bytes()), Buffer.from(all.subarray(start)));
        assert.equal(tail.isCut, start > 0);
      }),
    );
  });
});
