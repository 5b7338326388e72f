/**
 * The architecture as a test: which part may import which, where the outside world may be used, and how long
 * a file may be. docs/architecture.md explains it.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import ts from "typescript";
import { importCycles } from "./architecture/import-cycles.ts";
import {
  circularParts,
  importOffences,
  type ImportTable,
  partOf,
  spelled,
  unusedPermissions,
} from "./architecture/import-rules.ts";
import { filesIn, nodesOf, type SourceFile } from "./architecture/source-files.ts";
import { read, section, tables } from "./support/markdown.ts";

const MAX_LINES = 300;

const ALLOWED_IMPORTS: ImportTable = {
  task: [],
  protocol: ["task", "zod", "node:crypto"],
  timers: [],
  cleanup: [],
  watched: ["protocol"],
  service: ["task", "protocol", "timers", "watched"],
  nats: [
    ...["task", "protocol", "timers", "type service/ports"],
    ...["@nats-io/*", "p-retry", "semver", "node:*"],
  ],
  "nats-server": [
    ...["nats/server-versions", "config/child-environment", "private-files", "node:*"],
  ],
  client: [
    ...["task", "protocol", "timers", "watched"],
    ...["nats/request", "nats/connection", "nats/connection-values", "nats/inbox"],
    ...["nats/shared-bucket", "nats/task-updates", "nats/credentials-name"],
    ...["p-retry", "zod", "node:events", "node:os", "node:worker_threads"],
  ],
  mcp: [
    ...["task", "protocol", "client", "version", "zod", "@modelcontextprotocol/server"],
    ...["node:crypto", "node:http", "node:net", "node:stream"],
  ],
  telemetry: ["protocol", "type service/ports", "pino", "prom-client", "node:*"],
  config: ["protocol", "nats/connection-values", "zod", "yaml", "node:*"],
  "private-files": ["node:*"],
  version: ["node:*"],
  app: ["service", "nats", "telemetry", "config", "version", "cleanup"],
  pool: ["app", "config", "telemetry", "type service/ports", "node:*"],
  history: ["task", "protocol", "client", "type nats/read-history"],
  "task-files": [
    ...["task", "protocol", "node:crypto", "csv-parse/sync", "yaml"],
    ...["mdast-util-from-markdown", "mdast-util-gfm", "micromark-extension-gfm", "type mdast"],
  ],
  auth: ["protocol", "private-files", "@nats-io/jwt", "@nats-io/nkeys", "node:*"],
  simulation: ["task", "protocol", "client", "nats", "history", "task-files", "node:*"],
  cli: [
    ...["task", "protocol", "app", "pool", "config", "version", "cleanup"],
    ...["private-files", "timers", "client", "simulation", "task-files", "mcp"],
    ...["nats/connection", "nats/request", "nats-server/dev-server", "telemetry/json-line"],
    ...["nats/connection-values", "nats/inspection", "nats/loopback", "nats/server-versions"],
    "nats/task-removal",
    ...[
      "history",
      "nats/audit-reader",
      "nats/history-access",
      "nats/read-history",
      "nats/read-leases",
    ],
    ...[
      "nats/account-updates",
      "nats/principal-entries",
      "nats/access-attempts",
      "nats/credentials-name",
      "auth",
    ],
    ...["commander", "picocolors", "cli-progress", "cli-table3"],
    ...["jsonc-parser", "smol-toml", "@bomb.sh/tab", "ink", "react", "node:*"],
  ],
  index: ["task", "protocol", "client"],
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
    why: "only a command, or a worker in its own process, may end the process",
  },
  ...["Date.now", "Math.random", "performance.now", "new Date()"].map((expression) => ({
    expression,
    allowed: (part: string) => !["task", "protocol", "watched", "service"].includes(part),
    why: "the caller passes in time and random numbers",
  })),
];

const SOURCES = filesIn(["src"]);
const OTHERS = filesIn(["test", "scripts", "bench", "examples"]);

describe("the architecture", () => {
  it("has no import against its direction", () => {
    assert.deepEqual(
      SOURCES.flatMap((file) => importOffences(ALLOWED_IMPORTS, file)),
      [],
    );
  });

  it("gives no permission to import that nobody uses", () => {
    assert.deepEqual(unusedPermissions(ALLOWED_IMPORTS, SOURCES), []);
  });

  it("lists no part that may import one that may import it", () => {
    assert.deepEqual(circularParts(ALLOWED_IMPORTS), []);
  });

  it("has no files that import each other in a circle, not even their types", () => {
    assert.deepEqual(importCycles([...SOURCES, ...OTHERS]), []);
  });

  it("uses environment, process, clock and random numbers only where that is allowed", () => {
    assert.deepEqual(SOURCES.flatMap(expressionOffences), []);
  });

  it(`has no file of more than ${MAX_LINES} lines`, () => {
    assert.deepEqual([...SOURCES, ...OTHERS].flatMap(lengthOffences), []);
  });
});

describe("docs/architecture.md", () => {
  const rows = tables(section(read("docs/architecture.md"), "Parts"))[0] ?? [];

  it("lists every part with what it may import", () => {
    const listed = rows.map((row) => {
      const [path = ""] = (row.Part ?? "").split(", ");
      return [partOf(path), row["May import"]];
    });
    const allowed = Object.entries(ALLOWED_IMPORTS).map(([part, rules]) => [
      part,
      rules.map(spelled).join(", ") || "nothing",
    ]);
    assert.deepEqual(Object.fromEntries(listed), Object.fromEntries(allowed));
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
      assert.equal(importOffences(ALLOWED_IMPORTS, { path, source }).length, 1);
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
    assert.deepEqual(
      importOffences(ALLOWED_IMPORTS, { path: "src/nats/a.ts", source: source }),
      [],
    );
    assert.deepEqual(
      importOffences(ALLOWED_IMPORTS, {
        path: "src/config.ts",
        source: 'import "./config/schema.ts";',
      }),
      [],
    );
    assert.deepEqual(
      importOffences(ALLOWED_IMPORTS, {
        path: "src/config/a.ts",
        source: 'import { z } from "zod";',
      }),
      [],
    );
  });

  it("says which file imports what", () => {
    assert.deepEqual(
      importOffences(ALLOWED_IMPORTS, {
        path: "src/task/a.ts",
        source: 'import { z } from "zod";',
      }),
      ["src/task/a.ts: task must not import zod"],
    );
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
      assert.equal(expressionOffences({ path, source }).length, 1);
    });
  }

  it("accepts them where they belong, and in comments and texts", () => {
    assert.deepEqual(
      expressionOffences({ path: "src/config.ts", source: "read(process.env);" }),
      [],
    );
    assert.deepEqual(
      expressionOffences({ path: "src/cli/main.ts", source: "process.exit(1);" }),
      [],
    );
    assert.deepEqual(expressionOffences({ path: "src/nats/a.ts", source: "Date.now();" }), []);
    const source =
      '// Date.now() is not used\nlog("process.env"); process.exitCode = 1; new Date(0);';
    assert.deepEqual(expressionOffences({ path: "src/service/a.ts", source: source }), []);
  });
});

describe("the check of lengths", () => {
  it(`accepts ${MAX_LINES} lines and refuses one more`, () => {
    assert.deepEqual(lengthOffences({ path: "src/a.ts", source: "x\n".repeat(MAX_LINES) }), []);
    assert.deepEqual(lengthOffences({ path: "src/a.ts", source: "x\n".repeat(MAX_LINES + 1) }), [
      `src/a.ts: has ${MAX_LINES + 1} lines, more than ${MAX_LINES}`,
    ]);
  });
});

function expressionOffences({ path, source }: SourceFile): string[] {
  const part = partOf(path);
  const forbidden = RESERVED.filter(({ allowed }) => !allowed(part));
  return nodesOf({ path, source })
    .filter((node) => ts.isPropertyAccessExpression(node) || ts.isNewExpression(node))
    .flatMap((node) => forbidden.filter(({ expression }) => node.getText() === expression))
    .map(({ expression, why }) => `${path}: ${expression} must not be used here: ${why}`);
}

function lengthOffences({ path, source }: SourceFile): string[] {
  const lines = source.replace(/\n$/, "").split("\n").length;
  return lines > MAX_LINES ? [`${path}: has ${lines} lines, more than ${MAX_LINES}`] : [];
}
