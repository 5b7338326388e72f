import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import * as library from "../../src/index.ts";
import { read, section, table } from "../support/markdown.ts";
import { compileForConsumer, publicNames } from "./example-compiler.ts";

describe("what the package exports", () => {
  const names = publicNames();

  it("is what docs/library.md lists", () => {
    const rows = table(section(read("docs/library.md"), "What is exported"), "Export");
    assert.deepEqual(rows.map((row) => row.Export).sort(), names.map(({ name }) => name).sort());
  });

  it("is there when it runs, if it is more than a type", () => {
    const values = names.filter(({ isType }) => !isType).map(({ name }) => name);
    assert.deepEqual(Object.keys(library).sort(), values.sort());
  });

  it("has types that compile with all that they refer to, and need no DOM", () => {
    const problems = compileForConsumer(`
      import { Coordinator, EventBus, type TaskRecord } from "if-coordinator";
      const bus = new EventBus({ backend: "nats" });
      const task: TaskRecord | null = await new Coordinator(bus).getTaskStatus("a");
      export const title: string | undefined = task?.title;`);
    assert.deepEqual(problems, []);
  });
});

describe("importing the package", () => {
  /** What it does to a process in which nothing else happens. */
  async function importAlone(): Promise<unknown> {
    const library = JSON.stringify(new URL("../../src/index.js", import.meta.url));
    const program = `
      import { writeSync } from "node:fs";
      const reads = new Set();
      const env = new Proxy(process.env, {
        get: (target, name) => { reads.add(String(name)); return target[name]; },
        has: (target, name) => { reads.add(String(name)); return name in target; },
        ownKeys: (target) => { reads.add("all"); return Reflect.ownKeys(target); },
      });
      Object.defineProperty(process, "env", { value: env });
      const globals = new Set(Object.getOwnPropertyNames(globalThis));
      const listeners = process.eventNames().length;
      await import(${library});
      const report = {
        // Node reads some variables whenever it loads a module.
        reads: [...reads].filter((name) => !/^(NODE|WATCH)_/.test(name)),
        globals: Object.getOwnPropertyNames(globalThis)
          .filter((name) => !globals.has(name) && !name.startsWith("__zod_")),
        listeners: process.eventNames().length - listeners,
        // Reading the modules from the disk ends by itself.
        resources: process.getActiveResourcesInfo().filter((name) => !/Req/.test(name)),
      };
      process.once("exit", () => writeSync(1, JSON.stringify(report)));`;
    const args = ["--input-type=module", "--eval", program];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
      timeout: 30_000,
    });
    assert.equal(stderr, "");
    return JSON.parse(stdout);
  }

  it("does nothing else: it writes, reads, watches and leaves nothing", async () => {
    const report = await importAlone();
    assert.deepEqual(report, { reads: [], globals: [], listeners: 0, resources: [] });
  });
});
