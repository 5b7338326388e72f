/** The files that GitHub reads: it ignores most mistakes in them without a word. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { read, ROOT } from "./support/markdown.ts";

const FORMS = ".github/ISSUE_TEMPLATE";

describe("the workflow of CI", () => {
  const { permissions, concurrency, jobs } = parse(read(".github/workflows/ci.yml"));

  it("runs .ci/run on each version of Node that is supported", () => {
    assert.deepEqual(jobs.ci.strategy.matrix.node, [20, 22, 24]);
    assert.equal(JSON.parse(read("package.json")).engines.node, ">=20");
    assert.ok(jobs.ci.steps.some(({ run }: { run?: string }) => run === "bash .ci/run"));
  });

  it("may only read, has a time limit, and ends runs that are out of date", () => {
    assert.deepEqual(permissions, { contents: "read" });
    assert.ok(jobs.ci["timeout-minutes"] > 0);
    assert.match(concurrency.group, /github\.ref/);
  });

  it("names a version of every action", () => {
    const used = jobs.ci.steps.flatMap(({ uses }: { uses?: string }) => uses ?? []);
    assert.ok(used.length > 0);
    for (const action of used) assert.match(action, /^[\w-]+\/[\w-]+@(v\d+|[0-9a-f]{40})$/);
  });
});

describe("the updates of dependencies", () => {
  const MANIFESTS: Readonly<Record<string, string>> = {
    npm: "package.json",
    gomod: "go.mod",
    docker: "Dockerfile",
    "docker-compose": "docker-compose.yml",
    "github-actions": ".github/workflows",
  };
  const { updates } = parse(read(".github/dependabot.yml"));

  it("find a manifest in each folder that they name", () => {
    for (const { "package-ecosystem": ecosystem, directory } of updates) {
      const manifest = join(directory, MANIFESTS[ecosystem] ?? "unknown");
      assert.ok(existsSync(join(ROOT, manifest)), `${ecosystem}: there is no ${manifest}`);
    }
  });

  it("cover each kind of manifest", () => {
    const covered = updates.map((update: Record<string, string>) => update["package-ecosystem"]);
    assert.deepEqual([...new Set(covered)].sort(), Object.keys(MANIFESTS).sort());
  });
});

describe("the forms for issues", () => {
  const forms = readdirSync(join(ROOT, FORMS)).filter((name) => name !== "config.yml");

  for (const name of forms) {
    it(`have what GitHub requires: ${name}`, () => {
      const form = parse(read(`${FORMS}/${name}`));
      assert.ok(form.name && form.description);
      const fields = form.body.filter(({ type }: { type: string }) => type !== "markdown");
      for (const { type, attributes } of fields) {
        assert.ok(["textarea", "input", "dropdown", "checkboxes"].includes(type), type);
        assert.ok(attributes.label);
      }
      const ids = fields.map(({ id }: { id: string }) => id);
      assert.equal(new Set(ids).size, fields.length);
    });
  }

  it("are there for bugs and for features", () => {
    assert.deepEqual(forms.sort(), ["bug.yml", "feature.yml"]);
  });
});
