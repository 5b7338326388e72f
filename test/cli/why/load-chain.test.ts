/** How many requests it takes to read a chain, and that none of its tasks is missed. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ChainTask, Found } from "../../../src/cli/why/blocking-chain.ts";
import { loadChain, MAX_SINGLE_READS, type TaskReader } from "../../../src/cli/why/load-chain.ts";
import { chainTask, tasksOf } from "./sample-chain.ts";

const PAGE = 1_000;

/** Counts what is read. */
class CountingReader implements TaskReader {
  gets = 0;
  pagesRead = 0;
  readonly #tasks: ReadonlyMap<string, Found>;

  constructor(tasks: ReadonlyMap<string, Found>) {
    this.#tasks = tasks;
  }

  get(id: string): Promise<Found> {
    this.gets++;
    return Promise.resolve(this.#tasks.get(id) ?? "missing");
  }

  async *pages(): AsyncGenerator<ChainTask[], void> {
    const all = [...this.#tasks.values()].filter((found) => typeof found !== "string");
    for (let from = 0; from < all.length; from += PAGE) {
      this.pagesRead++;
      yield await Promise.resolve(all.slice(from, from + PAGE));
    }
  }
}

describe("reading a chain", () => {
  it("asks only for the tasks of a short chain", async () => {
    const tasks = tasksOf({ a: ["b", "x"], b: ["c"], c: "available", other: "claimed" });
    const reader = new CountingReader(tasks);
    const chain = await loadChain(taskIn(tasks, "a"), reader);
    assert.deepEqual([...chain.ids()].sort(), ["a", "b", "c", "x"]);
    assert.equal(chain.get("x"), "missing");
    assert.deepEqual([reader.gets, reader.pagesRead], [3, 0]);
  });

  it("reads layers of 100,000 tasks in a few hundred requests", async () => {
    const [layers, width] = [100, 1_000];
    const tasks = new Map<string, Found>();
    for (let layer = 0; layer < layers; layer++) {
      for (let i = 0; i < width; i++) {
        // Each task waits for two of the next layer, so that all paths meet again.
        const depends_on =
          layer === layers - 1 ? [] : [`l${layer + 1}-${i}`, `l${layer + 1}-${(i + 1) % width}`];
        tasks.set(`l${layer}-${i}`, chainTask(`l${layer}-${i}`, { depends_on }));
      }
    }
    const first = Array.from({ length: width }, (_, i) => `l0-${i}`);
    const root = chainTask("root", { depends_on: first });
    const reader = new CountingReader(tasks);
    const chain = await loadChain(root, reader);
    assert.equal([...chain.ids()].length, 1 + layers * width);
    assert.ok(reader.gets + reader.pagesRead <= MAX_SINGLE_READS + 100, String(reader.gets));
  });

  it("finds dependencies that do not exist among many that do", async () => {
    const names = Array.from({ length: 3_000 }, (_, i) => `t${i}`);
    const tasks = new Map<string, Found>(names.map((id) => [id, chainTask(id)]));
    const root = chainTask("root", { depends_on: [...names, "nowhere", "broken"] });
    tasks.set("broken", "unreadable");
    const chain = await loadChain(root, new CountingReader(tasks));
    assert.equal(chain.get("nowhere"), "missing");
    assert.equal(chain.get("broken"), "unreadable");
    assert.equal([...chain.ids()].length, names.length + 3);
  });

  it("ends if thousands of dependencies do not exist", async () => {
    const depends_on = Array.from({ length: 10_000 }, (_, i) => `nowhere-${i}`);
    const reader = new CountingReader(new Map());
    const chain = await loadChain(chainTask("root", { depends_on }), reader);
    assert.equal([...chain.ids()].length, 10_001);
    assert.ok(reader.gets <= 2 * MAX_SINGLE_READS);
  });
});

function taskIn(tasks: ReadonlyMap<string, ChainTask>, id: string): ChainTask {
  const task = tasks.get(id);
  assert.ok(task !== undefined);
  return task;
}
