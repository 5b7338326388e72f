import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { loadedModules } from "../support/loaded-modules.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

/** Each would take longer than the request of the command. `npm run bench -- commands` measures it. */
const HEAVY = [
  ...[
    "zod",
    "ink",
    "react",
    "yaml",
    "csv-parse",
    "pino",
    "prom-client",
    "cli-table3",
    "cli-progress",
  ],
  ...[
    "@modelcontextprotocol/server",
    "@nats-io/jetstream",
    "@nats-io/kv",
    "@nats-io/services",
    "@bomb.sh/tab",
    "jsonc-parser",
    "smol-toml",
  ],
];
const HEAVY_BEGINNINGS = ["mdast-", "micromark"];
/** Each module takes a quarter of a millisecond, however small it is. Half of these are those of the NATS client. */
const MOST_MODULES = 120;

describe("a command for one task", () => {
  it("loads only what one request needs", async () => {
    await using coordinator = await TestCoordinator.start();
    const env = { NATS_URL: coordinator.server.url, IF_COORDINATOR_SESSION: "s1" };
    for (const args of [["create", "a"], ["get", "a"], ["claim", "a"], ["next"], ["renew", "a"]]) {
      const { code, modules } = await loadedModules(["task", ...args], env);
      assert.equal(code, args[0] === "next" ? 5 : 0);
      assert.ok(modules.some((url) => url.endsWith("/src/cli/main.js")));
      assert.ok(
        modules.length <= MOST_MODULES,
        `${args.join(" ")} loads ${modules.length} modules`,
      );
      const packages = new Set(modules.flatMap((url) => packageOf(url) ?? []));
      const heavy = [...packages].filter(
        (name) => HEAVY.includes(name) || HEAVY_BEGINNINGS.some((begin) => name.startsWith(begin)),
      );
      assert.deepEqual(heavy, [], args.join(" "));
    }
  });
});

function packageOf(url: string): string | undefined {
  return /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
}
