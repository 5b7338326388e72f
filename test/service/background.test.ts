import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Limiter } from "../../src/service/background.ts";

/** Work that runs until the test ends it. */
class Work {
  readonly log: string[];
  readonly name: string;
  end: () => void = () => undefined;
  fail: (error: Error) => void = () => undefined;

  constructor(name: string, log: string[]) {
    this.name = name;
    this.log = log;
  }

  readonly run = (): Promise<string> => {
    this.log.push(this.name);
    return new Promise((resolve, reject) => {
      this.end = () => {
        resolve(this.name);
      };
      this.fail = reject;
    });
  };
}

function newWork(count: number): { log: string[]; list: Work[] } {
  const log: string[] = [];
  return { log, list: Array.from({ length: count }, (_, i) => new Work(`w${i}`, log)) };
}

/** Resolves when all work that can run now has begun. */
function progressed(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe("the limiter", () => {
  it("runs at most so many pieces of work at a time, and the others in their order", async () => {
    const limiter = new Limiter(2);
    const { log, list } = newWork(5);
    const results = list.map((work) => limiter.run(work.run));
    await progressed();
    assert.deepEqual(log, ["w0", "w1"]);
    list[1]?.end();
    await progressed();
    assert.deepEqual(log, ["w0", "w1", "w2"]);
    list[0]?.end();
    list[2]?.end();
    await progressed();
    assert.deepEqual(log, ["w0", "w1", "w2", "w3", "w4"]);
    for (const work of list) work.end();
    assert.deepEqual(await Promise.all(results), ["w0", "w1", "w2", "w3", "w4"]);
  });

  it("gives a free place to the work that waits, and not to work that arrives at that moment", async () => {
    const limiter = new Limiter(1);
    const { log, list } = newWork(3);
    const [first, second, late] = list;
    assert.ok(first !== undefined && second !== undefined && late !== undefined);
    const running = limiter.run(first.run);
    const waiting = limiter.run(second.run);
    first.end();
    await running;
    const latecomer = limiter.run(late.run);
    await progressed();
    assert.deepEqual(log, ["w0", "w1"]);
    second.end();
    await waiting;
    await progressed();
    late.end();
    await latecomer;
    assert.deepEqual(log, ["w0", "w1", "w2"]);
  });

  it("frees the place of work that fails, and rejects with its error", async () => {
    const limiter = new Limiter(1);
    const { log, list } = newWork(2);
    const [failing, next] = list;
    assert.ok(failing !== undefined && next !== undefined);
    const failed = limiter.run(failing.run);
    const then = limiter.run(next.run);
    failing.fail(new Error("no luck"));
    await assert.rejects(failed, /no luck/);
    await progressed();
    assert.deepEqual(log, ["w0", "w1"]);
    next.end();
    assert.equal(await then, "w1");
    await assert.rejects(
      limiter.run(() => {
        throw new Error("thrown at once");
      }),
      /thrown at once/,
    );
    assert.equal(await limiter.run(() => Promise.resolve("free")), "free");
  });
});
