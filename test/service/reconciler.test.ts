/** What the reconciler does and when, by the test's own clock. */
import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import type { Fact } from "../../src/service/ports.ts";
import { Reconciler, type Work } from "../../src/service/reconciler.ts";
import type { FollowUp, Later } from "../../src/task/follow-up.ts";

const GRANT: FollowUp = { kind: "grant" };
const PURGE: FollowUp = { kind: "purge" };
/** A worker that is notified of a change waits for so long at least. */
const SPREAD_MS = 10;
const AGAIN_MS = 1_000;
const MAX_BUSY = 64;

/** Work that a test ends. What is due is what the test says. */
class HeldWork implements Work {
  readonly due = new Map<string, FollowUp | Later>();
  readonly begun: string[] = [];
  asked = 0;
  readonly #ends = new Map<string, { done: () => void; failed: (cause: Error) => void }>();

  decide(taskId: string): FollowUp | Later | null {
    this.asked++;
    return this.due.get(taskId) ?? null;
  }

  perform(taskId: string, { kind }: FollowUp): Promise<void> {
    assert.ok(!this.#ends.has(taskId), `${taskId} is worked on twice at a time`);
    this.begun.push(`${kind} ${taskId}`);
    return new Promise((resolve, reject) => {
      this.#ends.set(taskId, { done: resolve, failed: reject });
    });
  }

  get busy(): number {
    return this.#ends.size;
  }

  /** Ends the work. `next`: what is due then. */
  async end(taskId: string, next: FollowUp | Later | null = null): Promise<void> {
    const { done } = this.#take(taskId, next);
    done();
    await settled();
  }

  async fail(taskId: string): Promise<void> {
    const { failed } = this.#take(taskId, this.due.get(taskId) ?? null);
    failed(new Error("no luck"));
    await settled();
  }

  #take(
    taskId: string,
    next: FollowUp | Later | null,
  ): { done: () => void; failed: (cause: Error) => void } {
    const end = this.#ends.get(taskId);
    assert.ok(end !== undefined, `${taskId} is not worked on`);
    this.#ends.delete(taskId);
    if (next === null) this.due.delete(taskId);
    else this.due.set(taskId, next);
    return end;
  }
}

/** Resolves when the promises that are done have called their listeners. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

interface Setting extends Disposable {
  readonly work: HeldWork;
  readonly reconciler: Reconciler;
  readonly facts: Fact[];
  /** Lets the time pass. Returns what has begun meanwhile. */
  readonly pass: (ms: number) => string[];
}

function setUp(): Setting {
  let time = 100_000;
  mock.timers.enable({ apis: ["setTimeout"] });
  const work = new HeldWork();
  const facts: Fact[] = [];
  const clock = { now: Date.now, steady: () => time, random: () => 0 };
  const reconciler = new Reconciler(work, { clock, observe: (fact) => facts.push(fact) });
  const pass = (ms: number): string[] => {
    for (let i = 0; i < ms; i++) {
      time++;
      mock.timers.tick(1);
    }
    return work.begun.splice(0);
  };
  return {
    ...{ work, reconciler, facts, pass },
    [Symbol.dispose]: () => {
      mock.timers.reset();
    },
  };
}

describe("the reconciler", () => {
  it("acts at once on a change of this worker, and after a moment on others", () => {
    using setting = setUp();
    const { work, reconciler, pass } = setting;
    for (const id of ["own", "other"]) work.due.set(id, GRANT);
    reconciler.now("own");
    reconciler.soon("other");
    assert.deepEqual(work.begun.splice(0), ["grant own"]);
    assert.deepEqual([pass(SPREAD_MS - 1), pass(1)], [[], ["grant other"]]);
  });

  it("asks again when the work begins, because another worker may have done it", () => {
    using setting = setUp();
    const { work, reconciler, pass } = setting;
    work.due.set("a", GRANT);
    reconciler.soon("a");
    work.due.delete("a");
    assert.deepEqual(pass(5_000), []);
  });

  it("does nothing for a task for which nothing is due", () => {
    using setting = setUp();
    const { work, reconciler, pass } = setting;
    reconciler.now("a");
    reconciler.soon("a");
    work.due.set("a", GRANT);
    assert.deepEqual(pass(5_000), []);
  });

  it("does what is due later in the order of the times, in whichever order it learns of them", () => {
    using setting = setUp();
    const { work, reconciler, pass } = setting;
    for (const [id, wait] of [
      ["c", 300],
      ["a", 100],
      ["b", 200],
      ["d", 200],
    ] as const) {
      work.due.set(id, { kind: "again", at: 100_000 + wait });
      reconciler.now(id);
    }
    for (const id of "abcd") work.due.set(id, GRANT);
    assert.deepEqual([pass(99), pass(1)], [[], ["grant a"]]);
    assert.deepEqual(pass(100), ["grant b", "grant d"]);
    assert.deepEqual([pass(99), pass(1)], [[], ["grant c"]]);
  });

  it("lets an earlier time replace a later one, and not the other way round", () => {
    using setting = setUp();
    const { work, reconciler, pass } = setting;
    for (const wait of [500, 100, 300]) {
      work.due.set("a", { kind: "again", at: 100_000 + wait });
      reconciler.now("a");
    }
    work.due.set("a", GRANT);
    assert.deepEqual([pass(99), pass(1)], [[], ["grant a"]]);
    work.due.delete("a");
    assert.deepEqual(pass(1_000), []);
  });

  it("waits again if what was due at a time has moved to a later one", () => {
    using setting = setUp();
    const { work, reconciler, pass } = setting;
    work.due.set("a", { kind: "again", at: 100_100 });
    reconciler.now("a");
    work.due.set("a", { kind: "again", at: 100_200 });
    assert.deepEqual(pass(100), []);
    work.due.set("a", GRANT);
    assert.deepEqual([pass(99), pass(1)], [[], ["grant a"]]);
  });

  it("does one thing at a time for a task, and loses no change meanwhile", async () => {
    using setting = setUp();
    const { work, reconciler, pass } = setting;
    work.due.set("a", PURGE);
    reconciler.now("a");
    reconciler.now("a");
    reconciler.soon("a");
    assert.deepEqual(pass(2_000), ["purge a"]);
    await work.end("a", GRANT);
    assert.deepEqual(work.begun.splice(0), ["grant a"]);
    await work.end("a");
    assert.deepEqual(pass(5_000), []);
  });

  it("works on a limited number of tasks at once, and on the others in their order", async () => {
    using setting = setUp();
    const { work, reconciler, pass } = setting;
    const ids = Array.from({ length: MAX_BUSY + 3 }, (_, i) => `t${i}`);
    for (const id of ids) {
      work.due.set(id, GRANT);
      reconciler.now(id);
    }
    assert.equal(work.busy, MAX_BUSY);
    assert.deepEqual(pass(5_000).length, MAX_BUSY);
    await work.end("t5");
    assert.deepEqual(work.begun.splice(0), [`grant t${MAX_BUSY}`]);
    await work.end("t1");
    await work.end("t0");
    assert.deepEqual(work.begun, [`grant t${MAX_BUSY + 1}`, `grant t${MAX_BUSY + 2}`]);
  });

  it("has places for each stream, so that work on one that does not answer holds up no other", async () => {
    using setting = setUp();
    const { work, reconciler, pass } = setting;
    const ids = Array.from({ length: MAX_BUSY + 1 }, (_, i) => `t${i}`);
    for (const id of ids) {
      work.due.set(id, GRANT);
      reconciler.now(id);
    }
    const last = `t${MAX_BUSY}`;
    work.begun.length = 0;
    for (const kind of ["settle_dependencies", "replace"] as const) {
      work.due.set(kind, { kind });
      reconciler.now(kind);
      assert.deepEqual(work.begun.splice(0), [`${kind} ${kind}`]);
    }
    // Something else becomes due for a task that waits, and the worker does not learn of a change.
    work.due.set(last, { kind: "replace" });
    assert.deepEqual(pass(AGAIN_MS), [`replace ${last}`]);
    await work.end("t0");
    assert.deepEqual(work.begun, []);
    await work.end(last, GRANT);
    assert.deepEqual(work.begun, [`grant ${last}`]);
  });

  it("does not spin if an action changes nothing", async () => {
    using setting = setUp();
    const { work, reconciler, pass } = setting;
    work.due.set("a", GRANT);
    reconciler.now("a");
    await work.end("a", GRANT);
    assert.deepEqual(work.begun.splice(0), ["grant a"]);
    const { asked } = work;
    assert.deepEqual([pass(AGAIN_MS - 1), pass(1)], [[], ["grant a"]]);
    assert.ok(work.asked - asked <= 2, `${work.asked - asked} times asked`);
  });

  it("reports work that fails, and tries it again", async () => {
    using setting = setUp();
    const { work, reconciler, facts, pass } = setting;
    work.due.set("a", GRANT);
    reconciler.now("a");
    await work.fail("a");
    assert.deepEqual(
      facts.map((fact) => (fact.kind === "background_error" ? fact.what : fact.kind)),
      ["grant of a"],
    );
    work.begun.length = 0;
    assert.deepEqual([pass(AGAIN_MS - 1), pass(1)], [[], ["grant a"]]);
    await work.end("a");
    assert.deepEqual(pass(5_000), []);
  });

  it("waits for the work under way when it stops, and begins no other", async () => {
    using setting = setUp();
    const { work, reconciler, pass } = setting;
    for (const id of ["a", "b"]) work.due.set(id, GRANT);
    reconciler.now("a");
    reconciler.soon("b");
    let hasStopped = false;
    const stopped = reconciler.stop().then(() => (hasStopped = true));
    await settled();
    assert.equal(hasStopped, false);
    await work.end("a", PURGE);
    await stopped;
    reconciler.now("b");
    assert.deepEqual(pass(5_000), ["grant a"]);
  });
});
