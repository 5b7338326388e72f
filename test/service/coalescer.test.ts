import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Coalescer } from "../../src/service/coalescer.ts";

describe("the coalescer", () => {
  it("ends the waits of one moment together, but not later ones", async () => {
    const coalescer = new Coalescer(20);
    const ended: string[] = [];
    const wait = async (name: string): Promise<void> => {
      await coalescer.wait();
      ended.push(name);
    };
    const first = wait("first");
    await new Promise(setImmediate);
    const second = wait("second");
    await first;
    const third = wait("third");
    await second;
    assert.deepEqual(ended, ["first", "second"]);
    await third;
    assert.deepEqual(ended, ["first", "second", "third"]);
  });
});
