/** The checks of permissions and of cycles, by small examples of what they refuse. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { importCycles } from "./import-cycles.ts";
import { circularParts, unusedPermissions } from "./import-rules.ts";
import type { SourceFile } from "./source-files.ts";

describe("the check of permissions", () => {
  const table = { protocol: ["task", "zod", "type service/ports"], task: [] };
  const uses = (...lines: string[]): SourceFile[] => [
    { path: "src/protocol/a.ts", source: lines.join("\n") },
  ];

  it("names each that nobody uses, and each of types that is used for values", () => {
    const files = uses('import { z } from "zod";', 'import { a } from "../service/ports.ts";');
    assert.deepEqual(unusedPermissions(table, files), [
      "protocol need not import task",
      "protocol need not import type service/ports",
    ]);
  });

  it("accepts those that are used, if only for a type", () => {
    const files = uses(
      'import { z } from "zod";',
      'import type { Task } from "../task/task.ts";',
      'import type { Watch } from "../service/ports.ts";',
    );
    assert.deepEqual(unusedPermissions(table, files), []);
  });

  it("finds parts that may import each other, if not only types", () => {
    assert.deepEqual(circularParts({ a: ["b"], b: ["c/module"], c: ["a"], d: ["a"] }), [
      ...["a", "b", "c"],
    ]);
    assert.deepEqual(circularParts({ a: ["b"], b: ["type a/module"] }), []);
  });
});

describe("the check of cycles", () => {
  const files = (sources: Readonly<Record<string, string>>): SourceFile[] =>
    Object.entries(sources).map(([path, source]) => ({ path, source }));

  for (const [what, source] of [
    ["a value", 'import { a } from "../x/a.ts";'],
    ["a type", 'import type { A } from "../x/a.ts";'],
    ["a re-exported type", 'export type { A } from "../x/a.ts";'],
    ["a type in an expression", 'type A = import("../x/a.ts").A;'],
    ["a dynamic import", 'const a = await import("../x/a.ts");'],
  ] as const) {
    it(`refuses two files that import each other, if one does so for ${what}`, () => {
      const circle = files({
        "src/x/a.ts": 'import { b } from "../y/b.ts";',
        "src/y/b.ts": source,
      });
      assert.deepEqual(importCycles(circle), ["src/x/a.ts -> src/y/b.ts -> src/x/a.ts"]);
    });
  }

  it("names a longer circle once, and none of the files that only lead into it or out of it", () => {
    const circle = files({
      "src/a.ts": 'import "./b.ts"; import "./leaf.ts";',
      "src/b.ts": 'import type { C } from "./c.ts";',
      "src/c.ts": 'import "./a.ts"; import "zod";',
      "src/leaf.ts": "",
      "src/root.ts": 'import "./a.ts";',
    });
    assert.deepEqual(importCycles(circle), ["src/a.ts -> src/b.ts -> src/c.ts -> src/a.ts"]);
  });

  it("accepts files that share what they import", () => {
    const diamond = files({
      "src/a.ts": 'import "./b.ts"; import "./c.ts";',
      "src/b.ts": 'import "./d.ts";',
      "src/c.ts": 'import "./d.ts";',
      "src/d.ts": "",
    });
    assert.deepEqual(importCycles(diamond), []);
  });
});
