import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ParkedQueue } from "../../src/service/parked-queue.ts";
import type { ReadyFilter } from "../../src/task/ready-queue.ts";

interface Request {
  readonly name: string;
  readonly sessionId: string;
  readonly filter: ReadyFilter;
}

const LONG_MS = 60_000;

function request(
  name: string,
  options: Partial<Request> & { readonly prefix?: string } = {},
): Request {
  const { sessionId = name, prefix = "" } = options;
  return { name, sessionId, filter: { capabilities: [], tags: [], prefix } };
}

const anyFilter = (): boolean => true;

describe("the queue of parked requests", () => {
  it("serves requests in the order in which they came, across filters", async () => {
    const queue = new ParkedQueue<Request, string>();
    const answers = [request("a"), request("b", { prefix: "x" }), request("c")].map((one) =>
      queue.park(one, LONG_MS),
    );
    for (const expected of ["a", "b", "c"]) {
      const parked = queue.take(anyFilter);
      assert.equal(parked?.request.name, expected);
      parked.answer(`for ${expected}`);
    }
    assert.equal(queue.take(anyFilter), null);
    assert.deepEqual(await Promise.all(answers), ["for a", "for b", "for c"]);
    assert.equal(queue.size, 0);
  });

  it("skips requests whose filter does not fit", async () => {
    const queue = new ParkedQueue<Request, string>();
    const a = queue.park(request("a", { prefix: "x" }), LONG_MS);
    const b = queue.park(request("b", { prefix: "y" }), LONG_MS);
    const parked = queue.take(({ prefix }) => prefix === "y");
    assert.equal(parked?.request.name, "b");
    parked.answer("yes");
    assert.equal(await b, "yes");
    assert.equal(queue.size, 1);
    queue.dismissAll();
    assert.equal(await a, null);
  });

  it("serves the newest request of a session at the place of its oldest", async () => {
    const queue = new ParkedQueue<Request, string>();
    const answers = [
      queue.park(request("old", { sessionId: "s1" }), LONG_MS),
      queue.park(request("other", { sessionId: "s2" }), LONG_MS),
      queue.park(request("new", { sessionId: "s1" }), LONG_MS),
    ];
    const order = [0, 1, 2].map(() => {
      const parked = queue.take(anyFilter);
      parked?.answer("done");
      return parked?.request.name;
    });
    assert.deepEqual(order, ["new", "old", "other"]);
    await Promise.all(answers);
  });

  it("returns a request to its place", async () => {
    const queue = new ParkedQueue<Request, string>();
    const answers = [queue.park(request("a"), LONG_MS), queue.park(request("b"), LONG_MS)];
    const first = queue.take(anyFilter);
    assert.ok(first !== null);
    assert.equal(queue.size, 1);
    queue.putBack(first);
    assert.equal(queue.size, 2);
    assert.equal(queue.take(anyFilter)?.request.name, "a");
    queue.dismissAll();
    first.answer("late");
    assert.deepEqual(await Promise.all(answers), ["late", null]);
  });

  it("ends a wait with null when its time is over", async () => {
    const queue = new ParkedQueue<Request, string>();
    assert.equal(await queue.park(request("a"), 5), null);
    assert.equal(queue.size, 0);
  });

  it("lets a request that is being served outlast its time, but not wait again", async () => {
    const queue = new ParkedQueue<Request, string>();
    const served = queue.park(request("served"), 5);
    const returned = queue.park(request("returned"), 5);
    const [first, second] = [queue.take(anyFilter), queue.take(anyFilter)];
    assert.ok(first !== null && second !== null);
    // A third request with about the same time shows when theirs is over.
    assert.equal(await queue.park(request("clock"), 6), null);
    first.answer("in time");
    queue.putBack(second);
    assert.deepEqual(await Promise.all([served, returned]), ["in time", null]);
    assert.equal(queue.size, 0);
  });

  it("rejects when a request fails", async () => {
    const queue = new ParkedQueue<Request, string>();
    const answer = queue.park(request("a"), LONG_MS);
    queue.take(anyFilter)?.fail(new Error("no"));
    await assert.rejects(answer, { message: "no" });
  });

  it("lists the requests of a session, without those that were taken out", async () => {
    const queue = new ParkedQueue<Request, string>();
    const answers = [request("a"), request("b"), request("a", { prefix: "x" })].map((one) =>
      queue.park(one, LONG_MS),
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
