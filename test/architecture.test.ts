/**
 * The architecture as a test: who may import whom, where the outside world may be touched, and how
 * long a file may be. docs/architecture.md says why.
 */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MAX_LINES = 300;

/**
 * What each part of src/ may import beside itself: other parts, single modules of them, `type ` where
 * only types may be imported, packages, and `*` for all that begins so.
 */
const ALLOWED_IMPORTS: Readonly<Record<string, readonly string[]>> = {
  task: [],
  protocol: ["task", "zod"],
  timers: [],
  cleanup: [],
  watched: ["protocol"],
  service: ["task", "protocol", "timers", "watched"],
  nats: [
    ...["task", "protocol", "timers", "type service/ports"],
    ...["@nats-io/*", "p-retry", "semver", "node:*"],
  ],
  "nats-server": ["nats/server-versions", "node:*"],
  client: [
    ...["task", "protocol", "timers", "watched"],
    ...["nats/request", "nats/connection", "nats/connection-values", "nats/inbox"],
    ...["nats/shared-bucket", "nats/task-updates"],
    ...["p-retry", "node:os", "node:worker_threads"],
  ],
  telemetry: ["type service/ports", "pino", "prom-client", "node:*"],
  config: ["protocol", "nats/connection-values", "zod", "yaml", "node:*"],
  version: ["node:*"],
  app: [
    "task",
    "protocol",
    "service",
    "nats",
    "client",
    "telemetry",
    "config",
    "version",
    "cleanup",
    "node:*",
  ],
  pool: ["app", "config", "telemetry", "type service/ports", "node:*"],
  history: ["task", "protocol", "client", "type nats/read-history"],
  simulation: ["task", "protocol", "client", "nats", "history", "node:*"],
  cli: [
    ...["app", "pool", "config", "version", "cleanup", "client", "protocol", "simulation"],
    ...["nats/connection", "nats-server/dev-server", "telemetry/json-line"],
    ...["commander", "picocolors", "cli-progress", "node:*"],
  ],
  index: ["task", "protocol", "service", "nats", "client", "telemetry", "config", "app"],
};

/** Expressions that only these parts may use. */
const RESERVED: readonly {
  readonly expression: string;
  readonly allowed: (part: string) => boolean;
  readonly why: string;
}[] = [
  {
    expression: "process.env",
    allowed: (part) => part === "config",
    why: "only config reads the environment",
  },
  {
    expression: "process.exit",
    allowed: (part) => part === "cli" || part === "pool",
    why: "only a command, and a worker that is a process of its own, ends the process",
  },
  ...["Date.now", "Math.random", "performance.now", "new Date()"].map((expression) => ({
    expression,
    allowed: (part: string) => !["task", "protocol", "service"].includes(part),
    why: "time and chance are passed in",
  })),
];

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

describe("the architecture", () => {
  it("has no import against its direction", async () => {
    assert.deepEqual(await offencesIn(["src"], importOffences), []);
  });

  it("touches environment, process, clock and chance only where it may", async () => {
    assert.deepEqual(await offencesIn(["src"], expressionOffences), []);
  });

  it(`has no file of more than ${MAX_LINES} lines`, async () => {
    assert.deepEqual(await offencesIn(["src", "test", "scripts"], lengthOffences), []);
  });

  it("lists no part that may import one that may import it", () => {
    const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
      (ALLOWED_IMPORTS[from] ?? []).some((rule) => {
        // A type vanishes when it is compiled: it ties nothing together.
        if (rule.startsWith("type ")) return false;
        const part = partOf(`src/${rule}`);
        if (part === to) return true;
        return !seen.has(part) && reaches(part, to, seen.add(part));
      });
    const circular = Object.keys(ALLOWED_IMPORTS).filter((part) => reaches(part, part));
    assert.deepEqual(circular, []);
  });
});

describe("the check of imports", () => {
  for (const [path, source] of [
    ["src/task/a.ts", 'import { z } from "zod";'],
    ["src/task/a.ts", 'import type { Operation } from "../protocol/operations.ts";'],
    ["src/task/a.ts", 'import { readFile } from "node:fs/promises";'],
    ["src/protocol/a.ts", 'import { TaskService } from "../service/task-service.ts";'],
    ["src/service/a.ts", 'export { z } from "zod";'],
    ["src/service/a.ts", 'const pino = await import("pino");'],
    ["src/service/a.ts", 'type Kv = import("@nats-io/kv").KV;'],
    ["src/nats/a.ts", 'import { something } from "../service/ports.ts";'],
    ["src/nats/a.ts", 'import { type Task } from "../service/ports.ts";'],
    ["src/nats/a.ts", 'import type { TaskService } from "../service/task-service.ts";'],
    ["src/client/a.ts", 'import { KvTaskStore } from "../nats/kv-task-store.ts";'],
    ["src/client/a.ts", 'import { connect } from "@nats-io/transport-node";'],
    ["src/app.ts", 'import pino from "pino";'],
    ["src/app.ts", 'import { env } from "node:process";'],
    ["src/index.ts", 'export * from "./cli/main.ts";'],
    ["src/cli/a.ts", 'import "../nats/endpoints.ts";'],
    ["src/elsewhere/a.ts", 'import "../task/task.ts";'],
    ["src/task/a.ts", 'import "../../test/task/sample-task.ts";'],
  ] as const) {
    it(`refuses ${source} in ${path}`, () => {
      assert.equal(importOffences(path, source).length, 1);
    });
  }

  it("accepts what the table allows", () => {
    const source = [
      'import { connect } from "@nats-io/transport-node";',
      'import { spawn } from "node:child_process";',
      'import type { TaskStore } from "../service/ports.ts";',
      'import { decodeTask } from "../protocol/task-record.ts";',
      'import { subjects } from "./kv-buckets.ts";',
    ].join("\n");
    assert.deepEqual(importOffences("src/nats/a.ts", source), []);
    assert.deepEqual(importOffences("src/config.ts", 'import "./config/schema.ts";'), []);
    assert.deepEqual(importOffences("src/config/a.ts", 'import { z } from "zod";'), []);
  });

  it("says which file imports what", () => {
    assert.deepEqual(importOffences("src/task/a.ts", 'import { z } from "zod";'), [
      "src/task/a.ts: task must not import zod",
    ]);
  });
});

describe("the check of expressions", () => {
  for (const [path, source] of [
    ["src/app.ts", "const level = process.env.LOG_LEVEL;"],
    ["src/cli/main.ts", "const { HOME } = process.env;"],
    ["src/nats/a.ts", "process.exit(1);"],
    ["src/service/a.ts", "const now = Date.now();"],
    ["src/service/a.ts", "const clock = Date.now;"],
    ["src/protocol/a.ts", "const now = new Date();"],
    ["src/task/a.ts", "const share = Math.random();"],
  ] as const) {
    it(`refuses ${source} in ${path}`, () => {
      assert.equal(expressionOffences(path, source).length, 1);
    });
  }

  it("accepts them where they belong, and in comments and texts", () => {
    assert.deepEqual(expressionOffences("src/config.ts", "read(process.env);"), []);
    assert.deepEqual(expressionOffences("src/cli/main.ts", "process.exit(1);"), []);
    assert.deepEqual(expressionOffences("src/nats/a.ts", "Date.now();"), []);
    const source =
      '// Date.now() is not used\nlog("process.env"); process.exitCode = 1; new Date(0);';
    assert.deepEqual(expressionOffences("src/service/a.ts", source), []);
  });
});

describe("the check of lengths", () => {
  it(`accepts ${MAX_LINES} lines and refuses one more`, () => {
    assert.deepEqual(lengthOffences("src/a.ts", "x\n".repeat(MAX_LINES)), []);
    assert.deepEqual(lengthOffences("src/a.ts", "x\n".repeat(MAX_LINES + 1)), [
      `src/a.ts: has ${MAX_LINES + 1} lines, more than ${MAX_LINES}`,
    ]);
  });
});

function importOffences(path: string, source: string): string[] {
  const part = partOf(path);
  const rules = ALLOWED_IMPORTS[part];
  if (rules === undefined) return [`${path}: ${part} is no part that the import table knows`];
  return importsOf(source)
    .map((found) => ({ ...found, target: targetOf(path, found.specifier) }))
    .filter(({ target }) => partOf(`src/${target}`) !== part)
    .filter(({ target, typeOnly }) => !rules.some((rule) => allows(rule, target, typeOnly)))
    .map(({ target }) => `${path}: ${part} must not import ${target}`);
}

function allows(rule: string, target: string, typeOnly: boolean): boolean {
  if (rule.startsWith("type ")) return typeOnly && target === rule.slice("type ".length);
  // Its parts could be used without the expressions that are reserved above.
  if (target === "node:process") return false;
  if (rule.endsWith("*")) return target.startsWith(rule.slice(0, -1));
  return target === rule || target.startsWith(`${rule}/`);
}

/** A package's name, or a module as a path below src/ without its extension. */
function targetOf(path: string, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier;
  const file = normalize(join(dirname(path), specifier)).replace(/\.ts$/, "");
  return file.startsWith("src/") ? file.slice("src/".length) : `/${file}`;
}

/** `src/task/task.ts` belongs to `task`, `src/app.ts` to `app`. */
function partOf(path: string): string {
  const [, part = ""] = path.split("/");
  return part.replace(/\.ts$/, "");
}

function importsOf(source: string): Import[] {
  const found: Import[] = [];
  for (const node of nodesOf(source)) {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const typeOnly = node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
      found.push({ specifier: node.moduleSpecifier.text, typeOnly });
    } else if (
      ts.isExportDeclaration(node) &&
      node.moduleSpecifier !== undefined &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      found.push({ specifier: node.moduleSpecifier.text, typeOnly: node.isTypeOnly });
    } else if (ts.isImportTypeNode(node)) {
      found.push({ specifier: node.argument.getText().slice(1, -1), typeOnly: true });
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      found.push({ specifier: node.arguments[0]?.getText().slice(1, -1) ?? "", typeOnly: false });
    }
  }
  return found;
}

function expressionOffences(path: string, source: string): string[] {
  const part = partOf(path);
  const forbidden = RESERVED.filter(({ allowed }) => !allowed(part));
  return nodesOf(source)
    .filter((node) => ts.isPropertyAccessExpression(node) || ts.isNewExpression(node))
    .flatMap((node) => forbidden.filter(({ expression }) => node.getText() === expression))
    .map(({ expression, why }) => `${path}: ${expression} must not be used here: ${why}`);
}

function lengthOffences(path: string, source: string): string[] {
  const lines = source.replace(/\n$/, "").split("\n").length;
  return lines > MAX_LINES ? [`${path}: has ${lines} lines, more than ${MAX_LINES}`] : [];
}

function nodesOf(source: string): ts.Node[] {
  const nodes: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    nodes.push(node);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("source.ts", source, ts.ScriptTarget.Latest, true));
  return nodes;
}

async function offencesIn(
  folders: readonly string[],
  check: (path: string, source: string) => string[],
): Promise<string[]> {
  const offences: string[] = [];
  for (const folder of folders) {
    // The slash follows the folder even where it is a link.
    const names = await readdir(`${join(ROOT, folder)}/`, { recursive: true });
    const files = names.filter((name) => name.endsWith(".ts")).sort();
    if (folder === "src") assert.ok(files.length > 0, `no source below ${ROOT}`);
    for (const name of files) {
      const path = `${folder}/${name.replaceAll("\\", "/")}`;
      offences.push(...check(path, await readFile(join(ROOT, path), "utf8")));
    }
  }
  return offences;
}
