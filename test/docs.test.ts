/** The documentation as a whole: its links, the files that it names, and that every document is linked. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, it } from "node:test";
import { OPERATION_IDS, OPERATIONS, type Operation } from "../src/protocol/operations.ts";
import { VERSION } from "../src/version.ts";
import {
  anchorOf,
  documents,
  headings,
  localLinks,
  namedFiles,
  read,
  ROOT,
  section,
  table,
} from "./support/markdown.ts";

describe("the documentation", () => {
  it("has no broken link", () => {
    assert.deepEqual(documents().flatMap(brokenLinks), []);
  });

  it("names no file that does not exist", () => {
    const missing = documents().flatMap((path) =>
      namedFiles(read(path))
        .filter((file) => !existsSync(join(ROOT, file)))
        .map((file) => `${path}: ${file}`),
    );
    assert.deepEqual(missing, []);
  });

  it("is linked from the README, directly or through other documents", () => {
    const reached = new Set<string>();
    const visit = (path: string): void => {
      if (reached.has(path) || !path.endsWith(".md")) return;
      reached.add(path);
      for (const [file] of targetsOf(path)) visit(file);
    };
    visit("README.md");
    assert.deepEqual(
      documents().filter((path) => !reached.has(path)),
      [],
    );
  });
});

describe("README.md", () => {
  it("lists every operation, as the table of operations describes it", () => {
    const rows = table(section(read("README.md"), "Operations"), "Subject");
    assert.deepEqual(
      rows,
      Object.entries(OPERATIONS).map(([operation, { summary }]) => ({
        Subject: subjectsOf(operation as Operation, OPERATION_IDS[operation as Operation]),
        "What it does": summary,
      })),
    );
  });
});

describe("CHANGELOG.md", () => {
  it("has a section for this version", () => {
    const versions = headings(read("CHANGELOG.md")).map((heading) => heading.split(" - ")[0]);
    assert.ok(versions.includes(`[${VERSION}]`), `no heading [${VERSION}]`);
  });
});

describe("the decisions", () => {
  const files = readdirSync(`${join(ROOT, "docs/decisions")}/`)
    .filter((name) => /^\d/.test(name))
    .sort();

  it("are numbered one after the other", () => {
    assert.deepEqual(
      files.map((name) => Number(name.slice(0, 4))),
      files.map((_, i) => i + 1),
    );
  });

  it("have a context, a decision and consequences", () => {
    for (const name of files) {
      const [title, ...parts] = headings(read(`docs/decisions/${name}`));
      assert.match(title ?? "", new RegExp(`^${Number(name.slice(0, 4))}\\. `), name);
      assert.deepEqual(parts, ["Context", "Decision", "Consequences"], name);
    }
  });

  it("are listed with their titles", () => {
    const index = read("docs/decisions/README.md");
    const listed = [...index.matchAll(/^\d+\. \[(.+)\]\((.+)\)$/gm)].map(([, title, file]) => ({
      title,
      file,
    }));
    assert.deepEqual(
      listed,
      files.map((file) => ({
        title: headings(read(`docs/decisions/${file}`))[0]?.replace(/^\d+\. /, ""),
        file,
      })),
    );
  });
});

function subjectsOf(operation: Operation, id: "required" | "optional" | "none"): string {
  const kind = operation.startsWith("sessions.") ? "session_id" : "task_id";
  if (id === "none") return operation;
  const withId = `${operation}.<${kind}>`;
  return id === "required" ? withId : `${withId}, ${operation}`;
}

/** The files to which a document links, and the anchor in each. */
function targetsOf(path: string): [file: string, anchor: string | undefined][] {
  return localLinks(read(path)).map((link) => {
    const [target = "", anchor] = link.split("#");
    return [target === "" ? path : normalize(join(dirname(path), target)), anchor];
  });
}

function brokenLinks(path: string): string[] {
  return targetsOf(path)
    .filter(([file, anchor]) => {
      if (!existsSync(join(ROOT, file))) return true;
      return anchor !== undefined && !headings(read(file)).map(anchorOf).includes(anchor);
    })
    .map(([file, anchor]) => `${path}: ${file}${anchor === undefined ? "" : `#${anchor}`}`);
}
