/** The plugins for coding agents: their files fit the formats of the clients, and their commands exist. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, it } from "node:test";
import { runCli } from "./support/cli-process.ts";
import { ROOT } from "./support/markdown.ts";
import { TempFolder } from "./support/temp-folder.ts";

const FOLDER = join(ROOT, "integrations");
const read = (file: string): string => readFileSync(join(FOLDER, file), "utf8");
const json = (file: string): any => JSON.parse(read(file));

/** The files of hooks, with where each client has its commands. */
const HOOKS = ["plugin/hooks/hooks.json", "codex/hooks/hooks.json", "gemini/hooks/hooks.json"];
const MONITORS: readonly { name: string; command: string; description: string }[] = json(
  "plugin/monitors/monitors.json",
);

describe("the portable plugin", () => {
  const plugin = json("plugin/plugin.json");
  const mcp = json("plugin/mcp.json");

  it("has the fields of Agent Plugins 1.0, and no others", () => {
    const schema = "https://agent-plugins.org/schemas/1.0.0";
    assert.deepEqual([plugin.$schema, mcp.$schema], ["plugin", "mcp"].map(schemaOf));
    function schemaOf(name: string): string {
      return `${schema}/${name}.schema.json`;
    }
    const known = ["$schema", "name", "version", "description", "license", "keywords"];
    assert.deepEqual(Object.keys(plugin), known);
    assert.deepEqual(Object.keys(mcp), ["$schema", "mcpServers"]);
  });

  it("has a skill whose name is that of its folder", () => {
    const skill = read("plugin/skills/if-coordinator/SKILL.md");
    assert.match(skill, /^---\nname: if-coordinator\ndescription: .{50,1000}\n---\n/);
  });

  it("has the version of the package, as all manifests have", () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const own = ["plugin/.claude-plugin/plugin.json", "codex/.codex-plugin/plugin.json"];
    for (const file of ["plugin/plugin.json", ...own, "gemini/gemini-extension.json"]) {
      assert.equal(json(file).version, version, file);
      assert.equal(json(file).name, "if-coordinator", file);
    }
    for (const file of own) {
      assert.equal(json(file).description, plugin.description, file);
      assert.equal(basename(json(file).mcpServers), "mcp.json", file);
    }
  });

  it("starts the same server in every client", () => {
    const { type, ...server } = mcp.mcpServers["if-coordinator"];
    assert.deepEqual([type, server], ["stdio", { command: "if-coordinator", args: ["mcp"] }]);
    for (const file of ["gemini/gemini-extension.json", "codex/mcp.json"]) {
      assert.deepEqual(json(file).mcpServers["if-coordinator"], server, file);
    }
  });
});

describe("the plugin of Codex", () => {
  it("names files that exist, and is in the marketplace", () => {
    const { skills, mcpServers, hooks } = json("codex/.codex-plugin/plugin.json");
    for (const file of [skills, mcpServers, hooks]) {
      assert.ok(existsSync(join(FOLDER, "codex", file)), file);
    }
    const [plugin] = json(".agents/plugins/marketplace.json").plugins;
    assert.deepEqual([plugin.name, plugin.source.path], ["if-coordinator", "./codex"]);
  });

  it("has the skill of the portable plugin", () => {
    const skill = "skills/if-coordinator/SKILL.md";
    assert.equal(read(`codex/${skill}`), read(`plugin/${skill}`));
  });
});

describe("the commands of the plugins", () => {
  it("do nothing where no coordinator runs and the agent has no claims", async () => {
    await using temp = await TempFolder.create();
    const commands = [...HOOKS, "cursor/hooks.json"].flatMap((file) => commandsIn(json(file)));
    assert.equal(commands.length, 9);
    for (const command of new Set(commands)) {
      const [program, ...args] = command.split(" ");
      assert.equal(program, "if-coordinator");
      const env = { TMPDIR: temp.path, NATS_URL: "nats://127.0.0.1:9" };
      const exit = await runCli(args, { env, cwd: temp.path });
      assert.deepEqual([exit.code, exit.stdout, exit.stderr], [0, "", ""], command);
    }
  });

  it("have a monitor with a name and a description", () => {
    for (const monitor of MONITORS) {
      assert.deepEqual(Object.keys(monitor), ["name", "command", "description"]);
    }
  });
});

function commandsIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const { command } = value as { readonly command?: unknown };
  const own = typeof command === "string" ? [command] : [];
  return [...own, ...Object.values(value).flatMap(commandsIn)];
}
