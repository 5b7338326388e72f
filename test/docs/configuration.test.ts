import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { loadConfig, type Setting, settings } from "../../src/config.ts";
import { runCli } from "../support/cli-process.ts";
import { codeBlocks, read, ROOT, section, table } from "../support/markdown.ts";

const DOCUMENT = read("docs/configuration.md");

describe("docs/configuration.md", () => {
  it("lists every setting with its variable, option, default and meaning", () => {
    assert.deepEqual(
      table(section(DOCUMENT, "Settings"), "Setting"),
      settings().map((setting) => ({
        Setting: setting.name,
        "Environment variable": setting.env,
        Option: setting.flag === undefined ? "" : `--${setting.flag}`,
        Default: shownDefault(setting),
        Meaning: setting.description.replaceAll("`", ""),
      })),
    );
  });

  it("names the options of every command", async () => {
    for (const command of ["dev", "serve", "simulate", "health"]) {
      const { stdout } = await runCli([command, "--help"]);
      const options = [...stdout.matchAll(/^ +(--[\w-]+)/gm)].map(([, option = ""]) => option);
      const takes = new RegExp(`^\`${command}\` (takes|is not configured).*$`, "m").exec(DOCUMENT);
      const named = [...(takes?.[0] ?? "").matchAll(/`(--[\w-]+)`/g)].map(([, name = ""]) => name);
      assert.deepEqual(named.sort(), options.sort(), command);
    }
  });
});

describe("the files of the configuration", () => {
  it("that the documentation shows, can be used", () => {
    const yaml = codeBlocks(DOCUMENT).find(({ language }) => language === "yaml")?.text ?? "";
    const { coordinator } = parse(yaml) as { coordinator: Record<string, unknown> };
    const known = new Set(settings().map(({ name }) => name));
    const unknown = flat(coordinator).filter((name) => !known.has(name));
    assert.deepEqual(unknown, []);
    assert.ok(flat(coordinator).length > 0);
  });

  it("config/coordinator.yaml has every setting with its default", () => {
    const path = `${ROOT}/config/coordinator.yaml`;
    assert.deepEqual(loadConfig({ env: {}, file: path }), loadConfig({ env: {} }));
    const { coordinator } = parse(read("config/coordinator.yaml")) as {
      coordinator: Record<string, unknown>;
    };
    assert.deepEqual(
      flat(coordinator).sort(),
      settings()
        .map(({ name }) => name)
        .sort(),
    );
  });
});

function shownDefault({ default: value }: Setting): string {
  if (value === null) return "not set";
  return Array.isArray(value) ? value.join(", ") : `${value as string | number | boolean}`;
}

/** The names of all settings in a file, as `nats.servers`. */
function flat(group: Readonly<Record<string, unknown>>, prefix = ""): string[] {
  return Object.entries(group).flatMap(([name, value]) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? flat(value as Record<string, unknown>, `${prefix}${name}.`)
      : [prefix + name],
  );
}
