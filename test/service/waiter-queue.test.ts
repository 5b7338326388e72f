import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WaiterQueue } from "../../src/service/waiter-queue.ts";
import type { ReadyFilter } from "../../src/task/ready-queue.ts";

interface Asker {
  readonly name: string;
  readonly sessionId: string;
  readonly filter: ReadyFilter;
}

const LONG_MS = 60_000;

function asker(name: string, options: Partial<Asker> & { readonly prefix?: string } = {}): Asker {
  const { sessionId = name, prefix = "" } = options;
  return { name, sessionId, filter: { capabilities: [], tags: [], prefix } };
}

const anyFilter = (): boolean => true;

describe("the queue of those who wait", () => {
  it("serves them in the order in which they came, across filters", async () => {
    const queue = new WaiterQueue<Asker, string>();
    const answers = [asker("a"), asker("b", { prefix: "x" }), asker("c")].map((one) =>
      queue.wait(one, LONG_MS),
    );
    for (const expected of ["a", "b", "c"]) {
      const waiter = queue.take(anyFilter);
      assert.equal(waiter?.asker.name, expected);
      waiter.answer(`for ${expected}`);
    }
    assert.equal(queue.take(anyFilter), null);
    assert.deepEqual(await Promise.all(answers), ["for a", "for b", "for c"]);
    assert.equal(queue.size, 0);
  });

  it("passes over those whose filter does not fit", async () => {
    const queue = new WaiterQueue<Asker, string>();
    const a = queue.wait(asker("a", { prefix: "x" }), LONG_MS);
    const b = queue.wait(asker("b", { prefix: "y" }), LONG_MS);
    const waiter = queue.take(({ prefix }) => prefix === "y");
    assert.equal(waiter?.asker.name, "b");
    waiter.answer("yes");
    assert.equal(await b, "yes");
    assert.equal(queue.size, 1);
    queue.dismissAll();
    assert.equal(await a, null);
  });

  it("serves the newest request of a session first, in the place of its oldest", async () => {
    const queue = new WaiterQueue<Asker, string>();
    const answers = [
      queue.wait(asker("old", { sessionId: "s1" }), LONG_MS),
      queue.wait(asker("other", { sessionId: "s2" }), LONG_MS),
      queue.wait(asker("new", { sessionId: "s1" }), LONG_MS),
    ];
    const order = [0, 1, 2].map(() => {
      const waiter = queue.take(anyFilter);
      waiter?.answer("done");
      return waiter?.asker.name;
    });
    assert.deepEqual(order, ["new", "old", "other"]);
    await Promise.all(answers);
  });

  it("puts a waiter back into its place", async () => {
    const queue = new WaiterQueue<Asker, string>();
    const answers = [queue.wait(asker("a"), LONG_MS), queue.wait(asker("b"), LONG_MS)];
    const first = queue.take(anyFilter);
    assert.ok(first !== null);
    assert.equal(queue.size, 1);
    queue.putBack(first);
    assert.equal(queue.size, 2);
    assert.equal(queue.take(anyFilter)?.asker.name, "a");
    queue.dismissAll();
    first.answer("late");
    assert.deepEqual(await Promise.all(answers), ["late", null]);
  });

  it("ends a wait with nothing when its time is over", async () => {
    const queue = new WaiterQueue<Asker, string>();
    assert.equal(await queue.wait(asker("a"), 5), null);
    assert.equal(queue.size, 0);
  });

  it("lets one that is being served outlast its time, but not wait again", async () => {
    const queue = new WaiterQueue<Asker, string>();
    const served = queue.wait(asker("served"), 5);
    const returned = queue.wait(asker("returned"), 5);
    const [first, second] = [queue.take(anyFilter), queue.take(anyFilter)];
    assert.ok(first !== null && second !== null);
    // A third one with the same time tells when theirs is over.
    assert.equal(await queue.wait(asker("clock"), 6), null);
    first.answer("in time");
    queue.putBack(second);
    assert.deepEqual(await Promise.all([served, returned]), ["in time", null]);
    assert.equal(queue.size, 0);
  });

  it("passes on the failure of a waiter", async () => {
    const queue = new WaiterQueue<Asker, string>();
    const answer = queue.wait(asker("a"), LONG_MS);
    queue.take(anyFilter)?.fail(new Error("no"));
    await assert.rejects(answer, { message: "no" });
  });

  it("names those of a session who wait, but not who was taken out", async () => {
    const queue = new WaiterQueue<Asker, string>();
    const answers = [asker("a"), asker("b"), asker("a", { prefix: "x" })].map((one) =>
      queue.wait(one, LONG_MS),
    );
    assert.equal(queue.ofSession("a").length, 2);
    const taken = queue.take((filter) => filter.prefix === "x");
    assert.equal(queue.ofSession("a").length, 1);
    assert.deepEqual(queue.ofSession("c"), []);
    queue.dismissAll();
    taken?.answer("task");
    assert.deepEqual(await Promise.all(answers), [null, null, "task"]);
  });
});
