import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ParkedQueue } from "../../src/service/parked-queue.ts";
import type { ReadyFilter, ReadyTask } from "../../src/task/ready-queue.ts";

interface Request {
  readonly name: string;
  readonly sessionId: string;
  readonly sender: string;
  readonly filter: ReadyFilter;
}

const LONG_MS = 60_000;

function request(
  name: string,
  options: Partial<Request> & { readonly prefix?: string } = {},
): Request {
  const { sessionId = name, sender = sessionId, prefix = "" } = options;
  return { name, sessionId, sender, filter: { capabilities: [], tags: [], prefix } };
}

function task(taskId: string): ReadyTask {
  return { taskId, priority: 2, createdRevision: 1, notBefore: null, requires: [], tags: [] };
}

/** Every filter of these tests fits it. */
const ANY = task("x");

describe("the queue of parked requests", () => {
  it("serves senders with one request each in the order in which they came, across filters", async () => {
    const queue = new ParkedQueue<Request, string>();
    const answers = [request("a"), request("b", { prefix: "x" }), request("c")].map((one) =>
      queue.park(one, LONG_MS),
    );
    for (const expected of ["a", "b", "c"]) {
      const parked = queue.take(ANY);
      assert.equal(parked?.request.name, expected);
      parked.answer(`for ${expected}`);
    }
    assert.equal(queue.take(ANY), null);
    assert.deepEqual(await Promise.all(answers), ["for a", "for b", "for c"]);
    assert.equal(queue.size, 0);
  });

  it("skips requests whose filter does not fit", async () => {
    const queue = new ParkedQueue<Request, string>();
    const a = queue.park(request("a", { prefix: "x" }), LONG_MS);
    const b = queue.park(request("b", { prefix: "y" }), LONG_MS);
    const parked = queue.take(task("y"));
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
      queue.park(request("old", { sessionId: "s1", sender: "a" }), LONG_MS),
      queue.park(request("other", { sessionId: "s2", sender: "a" }), LONG_MS),
      queue.park(request("new", { sessionId: "s1", sender: "a" }), LONG_MS),
    ];
    const order = [0, 1, 2].map(() => {
      const parked = queue.take(ANY);
      parked?.answer("done");
      return parked?.request.name;
    });
    assert.deepEqual(order, ["new", "old", "other"]);
    await Promise.all(answers);
  });

  it("returns a request to its place", async () => {
    const queue = new ParkedQueue<Request, string>();
    const answers = [queue.park(request("a"), LONG_MS), queue.park(request("b"), LONG_MS)];
    const first = queue.take(ANY);
    assert.ok(first !== null);
    assert.equal(queue.size, 1);
    queue.putBack(first);
    assert.equal(queue.size, 2);
    assert.equal(queue.take(ANY)?.request.name, "a");
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
    const [first, second] = [queue.take(ANY), queue.take(ANY)];
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
    queue.take(ANY)?.fail(new Error("no"));
    await assert.rejects(answer, { message: "no" });
  });

  it("lists the requests of a session, without those that were taken out", async () => {
    const queue = new ParkedQueue<Request, string>();
    const answers = [request("a"), request("b"), request("a", { prefix: "x" })].map((one) =>
      queue.park(one, LONG_MS),
    );
    assert.equal(queue.ofSession("a").length, 2);
    const taken = queue.take(task("x"));
    assert.equal(queue.ofSession("a").length, 1);
    assert.deepEqual(queue.ofSession("c"), []);
    queue.dismissAll();
    taken?.answer("task");
    assert.deepEqual(await Promise.all(answers), [null, null, "task"]);
  });

  it("serves senders in turn, however many requests each of them has", async () => {
    const queue = new ParkedQueue<Request, string>();
    const many = Array.from({ length: 100 }, (_, i) => request(`m${i}`, { sender: "many" }));
    const answers = [...many, request("a"), request("b")].map((one) => queue.park(one, LONG_MS));
    const order = Array.from({ length: 6 }, () => {
      const parked = queue.take(ANY);
      parked?.answer("done");
      return parked?.request.name;
    });
    assert.deepEqual(order, ["m0", "a", "b", "m1", "m2", "m3"]);
    answers.push(queue.park(request("late"), LONG_MS));
    const next = [queue.take(ANY), queue.take(ANY), queue.take(ANY)];
    // Who comes goes behind all who wait, and everyone else comes once before it at most.
    assert.deepEqual(
      next.map((parked) => parked?.request.name),
      ["m4", "late", "m5"],
    );
    for (const parked of next) parked?.answer("done");
    queue.dismissAll();
    await Promise.all(answers);
  });

  it("does not cost a sender its turn that a request was taken out and put back", async () => {
    const queue = new ParkedQueue<Request, string>();
    const answers = ["a", "b", "a"].map((sender, i) =>
      queue.park(request(`${sender}${i}`, { sender }), LONG_MS),
    );
    const [first, second] = [queue.take(ANY), queue.take(ANY)];
    assert.deepEqual([first?.request.name, second?.request.name], ["a0", "b1"]);
    assert.ok(first !== null && second !== null);
    queue.putBack(first);
    queue.putBack(second);
    const order = Array.from({ length: 3 }, () => {
      const parked = queue.take(ANY);
      parked?.answer("done");
      return parked?.request.name;
    });
    assert.deepEqual(order, ["a0", "b1", "a2"]);
    await Promise.all(answers);
  });

  it("skips requests that may not be served", async () => {
    const queue = new ParkedQueue<Request, string>();
    const answers = ["a", "b"].map((name) => queue.park(request(name), LONG_MS));
    const taken = queue.take(ANY, ({ sender }) => sender !== "a");
    assert.equal(taken?.request.name, "b");
    assert.equal(
      queue.take(ANY, () => false),
      null,
    );
    taken.answer("done");
    queue.dismissAll();
    assert.deepEqual(await Promise.all(answers), [null, "done"]);
  });

  it("names a request of the sender that has most, for a sender with at least two fewer", async () => {
    const queue = new ParkedQueue<Request, string>();
    assert.equal(queue.displacedBy("c"), null);
    const answers = ["a", "b", "a", "a", "b"].map((sender, i) =>
      queue.park(request(`${sender}${i}`, { sender }), LONG_MS),
    );
    assert.deepEqual([...queue.senders()], ["a", "b"]);
    assert.equal(queue.displacedBy("c")?.request.sender, "a");
    assert.equal(queue.displacedBy("b"), null);
    queue.displacedBy("c")?.answer("ended");
    assert.equal(queue.displacedBy("a"), null);
    queue.dismissAll();
    assert.equal((await Promise.all(answers)).filter((answer) => answer === "ended").length, 1);
  });

  it("serves ten thousand senders with one filter, of which each is taken in turn", async () => {
    const queue = new ParkedQueue<Request, string>();
    const answers = Array.from({ length: 10_000 }, (_, i) => [
      queue.park(request(`a${i}`, { sender: `s${i}` }), LONG_MS),
      queue.park(request(`b${i}`, { sender: `s${i}` }), LONG_MS),
    ]).flat();
    const order: string[] = [];
    for (let parked = queue.take(ANY); parked !== null; parked = queue.take(ANY)) {
      order.push(parked.request.name);
      parked.answer("done");
    }
    const expected = ["a", "b"].flatMap((letter) =>
      Array.from({ length: 10_000 }, (_, i) => `${letter}${i}`),
    );
    assert.deepEqual(order, expected);
    await Promise.all(answers);
  });

  it("finds the requests of a connection, as long as they wait", async () => {
    const queue = new ParkedQueue<Request, string>(({ name }) =>
      name === "a" ? ["first", "second"] : ["second"],
    );
    const answers = ["a", "b"].map((name) => queue.park(request(name), LONG_MS));
    const namesOf = (key: string): string[] =>
      queue.ofConnection(key).map(({ request: { name } }) => name);
    assert.deepEqual(
      [namesOf("first"), namesOf("second"), namesOf("third")],
      [["a"], ["a", "b"], []],
    );
    const taken = queue.take(ANY) ?? assert.fail();
    assert.deepEqual([namesOf("first"), namesOf("second")], [[], ["b"]]);
    queue.putBack(taken);
    for (const parked of queue.ofConnection("second")) parked.answer("gone");
    assert.deepEqual(await Promise.all(answers), ["gone", "gone"]);
    assert.deepEqual(namesOf("second"), []);
  });
});
