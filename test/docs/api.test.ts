import assert from "node:assert/strict";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { ReflectionKind } from "typedoc";
import { codeBlocks, read, ROOT } from "../support/markdown.ts";
import {
  type ApiReference,
  entriesOf,
  examplesOf,
  makeApiReference,
  readPages,
} from "./api-reference.ts";
import { compileExamples } from "./example-compiler.ts";

describe("docs/api", () => {
  let reference: ApiReference;
  before(async () => {
    reference = await makeApiReference();
  });

  it("is what the docstrings say", async () => {
    const committed = await readPages(join(ROOT, "docs/api"));
    const paths = new Set([...reference.pages.keys(), ...committed.keys()]);
    assert.deepEqual(
      [...paths].filter((path) => reference.pages.get(path) !== committed.get(path)).sort(),
      [],
      "run npm run docs",
    );
  });

  it("describes everything that is public", () => {
    const entries = entriesOf(reference.project);
    assert.ok(entries.some(({ name }) => name === "Coordinator.claimTask"));
    const missing = entries.filter(({ isDescribed }) => !isDescribed);
    assert.deepEqual(
      missing.map(({ file, name }) => `${file}: ${name}`),
      [],
    );
  });

  it("has an example for every class and every method", () => {
    const missing = entriesOf(reference.project).filter(
      ({ needsExample, examples }) => needsExample && examples.length === 0,
    );
    assert.deepEqual(
      missing.map(({ file, name }) => `${file}: ${name}`),
      [],
    );
  });

  it("has only examples that compile", () => {
    const examples = examplesOf(entriesOf(reference.project));
    assert.ok(examples.length > 40, `${examples.length} examples`);
    assert.deepEqual(compileExamples(examples), []);
  });

  it("names no path of the machine on which it was made", () => {
    for (const [path, text] of reference.pages) assert.ok(!text.includes(ROOT), path);
  });
});

for (const path of ["README.md", "docs/library.md"]) {
  describe(path, () => {
    it("has only examples that compile", () => {
      const blocks = codeBlocks(read(path)).filter(({ language }) => language === "ts");
      assert.ok(blocks.length > 0);
      const examples = blocks.map(({ line, text }) => ({ name: `${path}:${line}`, text }));
      assert.deepEqual(compileExamples(examples), []);
    });
  });
}

describe("the check of docstrings", () => {
  const summary = [{ text: "What it is." }];
  const example = (text: string): object => ({
    summary,
    blockTags: [{ tag: "@example", content: [{ text }] }],
  });
  const { Class, Interface, Method, Accessor, Property, TypeAlias, Variable } = ReflectionKind;
  const entries = entriesOf({
    symbolIdMap: { 1: { packagePath: "src/a.ts" }, 2: { packagePath: "src/a.ts" } },
    children: [
      {
        id: 1,
        name: "A",
        kind: Class,
        comment: example("```ts\nnew A();\nrun();\n```"),
        children: [
          { id: 2, name: "a", kind: Method, signatures: [{ comment: example("a();") }] },
          { id: 3, name: "b", kind: Method, signatures: [{ comment: { summary } }] },
          { id: 4, name: "c", kind: Method, signatures: [{}] },
          { id: 5, name: "d", kind: Accessor, getSignature: { comment: { summary } } },
          { id: 6, name: "e", kind: Property },
          { id: 7, name: "stack", kind: Property, flags: { isExternal: true } },
        ],
      },
      {
        id: 12,
        name: "I",
        kind: Interface,
        comment: { summary },
        children: [{ id: 13, name: "h", kind: Method, signatures: [{ comment: { summary } }] }],
      },
      {
        id: 8,
        name: "T",
        kind: TypeAlias,
        comment: { summary: [] },
        type: {
          types: [{}, { declaration: declared([{ id: 9, name: "f", kind: Property }]) }],
        },
      },
      {
        id: 10,
        name: "V",
        kind: Variable,
        comment: { summary },
        type: { declaration: declared([{ id: 11, name: "g", kind: Property }]) },
      },
    ],
  } as Parameters<typeof entriesOf>[0]);

  function declared(children: object[]): object {
    return { id: 0, name: "__type", kind: ReflectionKind.TypeLiteral, children };
  }

  it("finds what is not described, members as well", () => {
    const missing = entries.filter(({ isDescribed }) => !isDescribed).map(({ name }) => name);
    assert.deepEqual(missing, ["A.c", "A.e", "T", "T.f"]);
  });

  it("wants examples of classes and their methods", () => {
    const needing = entries.filter(({ needsExample }) => needsExample).map(({ name }) => name);
    assert.deepEqual(needing, ["A", "A.a", "A.b", "A.c"]);
  });

  it("takes examples out of their fences and knows where they stand", () => {
    assert.deepEqual(examplesOf(entries), [
      { name: "src/a.ts: A", text: "new A();\nrun();" },
      { name: "src/a.ts: A.a", text: "a();" },
    ]);
  });
});

describe("the check of examples", () => {
  it("accepts what readers can write, with names of the package and without", () => {
    const texts = [
      'import { EventBus } from "if-coordinator";\nconst bus = new EventBus({ backend: "nats" });',
      'await using other = new EventBus({ backend: "nats" });\nawait other.connect();',
      'const since: Since = "now";\nawait coordinator.subscribeTaskUpdates(console.log, { since });',
      "await bus.get(`Coordinator`);",
    ];
    assert.deepEqual(compileExamples(texts.map((text) => ({ name: "good", text }))), []);
  });

  it("refuses what does not compile, and says where and what", () => {
    const faults = [
      ["await bus.connect();\nawait bus.fetch();", /line 2: .*'fetch' does not exist/],
      ['bus.put("a", 1, { ttlSeconds: 1 });', /line 1: .*'ttlSeconds' does not exist/],
      ['bus.put("a", 1, { ttl: "1" });', /line 1: .*not assignable to type 'number'/],
      ['coordinator.releaseTask("a", "s", "done");', /line 1: .*'"done"' is not assignable/],
      ['(await coordinator.getTaskStatus("a")).title;', /line 1: .*possibly 'null'/],
      ["coordinator.work({});", /line 1: .*Expected 2 arguments/],
      ["new TaskClient();", /line 1: .*cannot be used as a value/],
      ["bus.link;", /line 1: .*'link' does not exist/],
      ["Claims a task", /line 1: /],
    ] as const;
    const problems = compileExamples([
      { name: "good", text: "await bus.disconnect();" },
      ...faults.map(([text], i) => ({ name: `src/a.ts: bad${i}`, text })),
    ]);
    for (const [i, [, message]] of faults.entries()) {
      const found = problems.find((problem) => problem.startsWith(`src/a.ts: bad${i}, `));
      assert.match(found ?? "", message);
    }
    assert.ok(problems.every((problem) => problem.startsWith("src/a.ts: bad")));
  });
});
