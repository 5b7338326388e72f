import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hasCode } from "../../src/protocol/errors.ts";
import { SenderGate } from "../../src/service/sender-gate.ts";

const LIMITS = { total: 4, perSender: 2, waitMs: 60_000 };

/** Reads through a gate that end when the test says so. */
class Reads {
  readonly begun: string[] = [];
  readonly #gate: SenderGate;
  readonly #ends = new Map<string, () => void>();
  readonly #over = new Map<string, Promise<void>>();

  constructor(limits: Partial<typeof LIMITS> = {}) {
    this.#gate = new SenderGate({ ...LIMITS, ...limits }, "too much");
  }

  /** `name` begins with the sender. */
  begin(name: string, bytes = 1): Promise<void> {
    const read = this.#gate.during(name.slice(0, 1), bytes, () => {
      this.begun.push(name);
      return new Promise<void>((resolve) => this.#ends.set(name, resolve));
    });
    this.#over.set(name, read);
    read.catch(() => undefined);
    return read;
  }

  async end(name: string): Promise<void> {
    this.#ends.get(name)?.();
    await this.#over.get(name);
    await new Promise(setImmediate);
  }
}

describe("the gate of one kind of work", () => {
  it("lets a sender read so many bytes at a time, and the others meanwhile", async () => {
    const reads = new Reads();
    for (const name of ["a1", "a2", "a3", "b1", "b2", "b3"]) void reads.begin(name);
    assert.deepEqual(reads.begun, ["a1", "a2", "b1", "b2"]);
    await reads.end("b1");
    assert.deepEqual(reads.begun.slice(4), ["b3"]);
    await reads.end("a2");
    assert.deepEqual(reads.begun.slice(5), ["a3"]);
  });

  it("gives senders their turns one after the other", async () => {
    const reads = new Reads({ total: 1 });
    for (const name of ["a1", "a2", "a3", "b1", "c1", "b2"]) void reads.begin(name);
    const inTurn = ["a1", "a2", "b1", "c1", "a3", "b2"];
    for (const name of inTurn) await reads.end(name);
    assert.deepEqual(reads.begun, inTurn);
  });

  it("does not let small reads overtake a large one forever", async () => {
    const reads = new Reads();
    for (const name of ["a1", "b1", "c1"]) void reads.begin(name);
    void reads.begin("d1", 2);
    void reads.begin("e1");
    assert.deepEqual(reads.begun, ["a1", "b1", "c1"]);
    await reads.end("b1");
    assert.deepEqual(reads.begun.slice(3), ["d1"]);
    await reads.end("c1");
    assert.deepEqual(reads.begun.slice(4), ["e1"]);
  });

  it("lets a read that is larger than the limit run", async () => {
    const reads = new Reads();
    void reads.begin("a1", 100);
    void reads.begin("a2");
    assert.deepEqual(reads.begun, ["a1"]);
    await reads.end("a1");
    assert.deepEqual(reads.begun, ["a1", "a2"]);
  });

  it("refuses a read whose turn does not come, and goes on with the others", async () => {
    const reads = new Reads({ waitMs: 5, total: 2 });
    void reads.begin("a1");
    void reads.begin("b1");
    await assert.rejects(reads.begin("a2", 2), (error) => hasCode(error, "overloaded"));
    await reads.end("a1");
    void reads.begin("a3");
    assert.deepEqual(reads.begun, ["a1", "b1", "a3"]);
  });

  it("frees the place of a read that fails", async () => {
    const gate = new SenderGate({ ...LIMITS, perSender: 1 }, "too much");
    const failing = gate.during("a", 1, () => Promise.reject(new Error("no answer")));
    await assert.rejects(failing, /no answer/);
    assert.equal(await gate.during("a", 1, () => Promise.resolve("read")), "read");
  });
});
