/** The health of all workers together. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  healthOf,
  HealthNotes,
  isBusHealthy,
  type WorkerHealth,
} from "../../src/telemetry/health.ts";

const WELL: WorkerHealth = {
  id: "worker-1",
  connected: true,
  index_current: true,
  problems: [],
  warnings: [],
};

describe("the health of workers", () => {
  it("is ready when each worker is connected, current and without a problem", () => {
    const { connected, ready } = healthOf([WELL, { ...WELL, id: "worker-2" }]);
    assert.deepEqual([connected, ready], [true, true]);
    assert.equal(isBusHealthy([WELL]), true);
  });

  it("is not ready without workers", () => {
    assert.equal(healthOf([]).ready, false);
    assert.equal(isBusHealthy([]), false);
  });

  it("is not ready while a worker has a problem, and names each problem once", () => {
    const ill = { ...WELL, problems: ["bucket tasks: writes are refused"] };
    const { connected, ready, detail } = healthOf([WELL, ill, ill]);
    assert.deepEqual([connected, ready], [true, false]);
    assert.deepEqual((detail as { problems: string[] }).problems, ill.problems);
    assert.equal(isBusHealthy([WELL, ill]), false);
  });

  it("stays ready with warnings, and shows them", () => {
    const warned = { ...WELL, warnings: ["an old server"] };
    const { ready, detail } = healthOf([warned, warned]);
    assert.equal(ready, true);
    assert.deepEqual((detail as { warnings: string[] }).warnings, ["an old server"]);
    assert.equal(isBusHealthy([warned]), true);
  });

  it("is connected but not ready while an index is being read", () => {
    const reading = { ...WELL, index_current: false };
    assert.equal(healthOf([reading]).ready, false);
    assert.equal(isBusHealthy([reading]), true);
  });
});

describe("the notes of a worker", () => {
  it("keep the last text about each subject until it is over", () => {
    const notes = new HealthNotes();
    notes.problem("tasks", "refused");
    notes.problem("tasks", "refused again");
    notes.problem("leases", "gone");
    notes.warning("server", "old");
    assert.deepEqual(notes.problems, ["refused again", "gone"]);
    assert.deepEqual(notes.warnings, ["old"]);
    notes.problem("tasks", null);
    notes.warning("server", null);
    assert.deepEqual([notes.problems, notes.warnings], [["gone"], []]);
  });
});
