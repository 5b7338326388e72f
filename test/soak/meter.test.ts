import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Recording } from "../../src/history/recording.ts";
import { Meter } from "../../scripts/soak/meter.ts";
import { TaskError } from "../../src/client/task-error.ts";

const refuse = (): Promise<never> => Promise.reject(new TaskError("not_found", "there is none"));

describe("the meter of a soak run", () => {
  it("counts successes with their latencies, and errors by code", async () => {
    const meter = new Meter();
    assert.equal(await meter.measure("claim", () => Promise.resolve("done")), "done");
    assert.equal(await meter.measure("claim", refuse), null);
    assert.equal(await meter.attempt("end", () => Promise.resolve(1)), 1);
    const { counts, latencies, errors } = meter.take();
    assert.deepEqual(Object.fromEntries(counts), { claim: 1, end: 1 });
    assert.deepEqual(
      [...latencies].map(([name, { length }]) => [name, length]),
      [["claim", 1]],
    );
    assert.deepEqual(Object.fromEntries(errors), { not_found: 1 });
  });

  it("starts again from zero after it was read", () => {
    const meter = new Meter();
    meter.count("update");
    meter.take();
    assert.equal(meter.take().counts.size, 0);
  });

  it("does not hide a defect", async () => {
    const broken = (): Promise<never> => Promise.reject(new TypeError("a defect"));
    await assert.rejects(new Meter().measure("claim", broken), TypeError);
  });

  it("counts and empties the recording of the chaos sessions", async () => {
    const meter = new Meter();
    const recording = new Recording();
    const of = { taskId: "a", client: "s1", asked: { kind: "get" } } as const;
    const seen = (): null => null;
    await recording.run(of, () => Promise.resolve(1), seen);
    await recording.run(of, refuse, seen);
    await recording.run(of, () => Promise.reject(new TaskError("unavailable", "no answer")), seen);
    const next = {
      requestId: "r",
      sessionId: "s1",
      instance: "i1",
      ttlSeconds: 1,
      invokedAt: 0,
      returnedAt: 1,
    };
    recording.nexts.push({ ...next, told: "lost" }, { ...next, told: 1 });
    meter.drain(recording);
    meter.drain(recording);
    const { counts, errors } = meter.take();
    assert.deepEqual(Object.fromEntries(counts), { get: 1 });
    assert.deepEqual(Object.fromEntries(errors), { not_found: 1, unavailable: 2 });
    assert.equal(recording.operations.length + recording.nexts.length, 0);
  });
});
