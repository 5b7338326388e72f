import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { runLoad } from "../../bench/load.ts";

describe("a load of the benchmark", () => {
  it("keeps the number of operations in flight, and runs each once", async () => {
    const seen: number[] = [];
    let inFlight = 0;
    let most = 0;
    const measured = await runLoad(
      async (index) => {
        most = Math.max(most, ++inFlight);
        seen.push(index);
        await delay(1);
        inFlight--;
      },
      { inFlight: 4, count: 20 },
    );
    assert.equal(most, 4);
    assert.deepEqual(
      seen.sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, i) => i),
    );
    assert.equal(measured.done, 20);
  });

  it("counts the things done, and measures how long each operation took", async () => {
    const slow = new Set([7]);
    const measured = await runLoad(
      async (index) => {
        await delay(slow.has(index) ? 200 : 1);
        return 10;
      },
      { inFlight: 1, count: 10 },
    );
    assert.equal(measured.done, 100);
    assert.ok(measured.p99Ms >= 190 && measured.p50Ms < measured.p99Ms);
    assert.ok(Math.abs(measured.perSecond - measured.done / measured.seconds) < 1e-6);
  });

  it("ends when there is nothing left to do", async () => {
    const measured = await runLoad((index) => Promise.resolve(index < 3 ? 1 : 0), {
      inFlight: 1,
      count: 100,
    });
    assert.equal(measured.done, 3);
  });

  it("fails with the operation that fails", async () => {
    const failing = runLoad(() => Promise.reject(new Error("no")), { inFlight: 2, count: 5 });
    await assert.rejects(failing, /no/);
  });
});
