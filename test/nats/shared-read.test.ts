import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SharedRead } from "../../src/nats/shared-read.ts";

describe("a shared read", () => {
  it("serves all who ask during one read with the next one, which begins after they asked", async () => {
    const ends: ((value: string) => void)[] = [];
    const shared = new SharedRead(
      () =>
        new Promise<string>((resolve) => {
          ends.push(resolve);
        }),
    );
    const first = shared.next();
    const others = [shared.next(), shared.next()];
    assert.equal(ends.length, 1);
    ends[0]?.("old");
    assert.equal(await first, "old");
    assert.equal(ends.length, 2);
    ends[1]?.("new");
    assert.deepEqual(await Promise.all(others), ["new", "new"]);
    const last = shared.next();
    ends[2]?.("last");
    assert.equal(await last, "last");
  });

  it("begins again after a failure", async () => {
    let reads = 0;
    const shared = new SharedRead(() =>
      ++reads === 1 ? Promise.reject(new Error("no answer")) : Promise.resolve(reads),
    );
    const [failed, next] = [shared.next(), shared.next()];
    await assert.rejects(failed, /no answer/);
    assert.equal(await next, 2);
  });
});
