/** What a set-up changes in the files of people: its own lines, and nothing else. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parse as parseJson } from "jsonc-parser";
import { parse as parseToml } from "smol-toml";
import { type ClientName, setUpOf } from "../../../src/cli/setup/clients.ts";
import { difference } from "../../../src/cli/setup/difference.ts";
import { ConfigFileError } from "../../../src/cli/setup/entry.ts";
import { JSON_FILES, MARKDOWN_FILES, TOML_FILES } from "./messy-files.ts";

const ARGS = ["mcp", "--nats", "nats://host:4222"];
const SERVER = { command: "if-coordinator", args: ARGS };

const CASES: readonly (readonly [ClientName, Readonly<Record<string, string>>])[] = [
  ["claude", JSON_FILES],
  ["gemini", JSON_FILES],
  ["cursor", JSON_FILES],
  ["codex", TOML_FILES],
  ["agents-md", MARKDOWN_FILES],
];

for (const [client, files] of CASES) {
  const setUp = setUpOf(client, false, ARGS);

  describe(`setup ${client}, if the file`, () => {
    for (const [what, before] of Object.entries(files)) {
      it(`${what}, adds only lines, and removes them byte by byte`, () => {
        const after = setUp.add(before);
        assert.ok(setUp.has(after));
        assert.equal(setUp.has(before), false);
        assert.equal(setUp.add(after), after, "a second time");
        assert.equal(setUp.remove(after), before);
        assert.equal(setUp.remove(before), before, "without a set-up");
        assert.ok(isSubsequence(before, after), after);
        const eols = new Set(after.match(/\r?\n/g));
        assert.ok(eols.size <= 1, "one kind of line end");
        if (client === "agents-md") return;
        const parsed = (client === "codex" ? parseToml : parseJson)(after);
        const servers = parsed[client === "codex" ? "mcp_servers" : "mcpServers"];
        assert.deepEqual({ ...servers["if-coordinator"] }, SERVER);
      });
    }
  });
}

describe("setup", () => {
  it("removes a file in which nothing else is left", () => {
    const setUp = setUpOf("claude", false, ["mcp"]);
    assert.equal(setUp.remove(setUp.add("{\n}\n")), "");
  });

  it("changes an entry in its place, and removes one that people have moved", () => {
    const old = `{
  "mcpServers": {
    "a": { "command": "a" }, // first
    "if-coordinator": { "command": "old" } // second
  }
}
`;
    const setUp = setUpOf("claude", false, ["mcp"]);
    const after = setUp.add(old);
    assert.deepEqual(parseJson(after).mcpServers["if-coordinator"], {
      command: "if-coordinator",
      args: ["mcp"],
    });
    assert.match(after, /"a": \{ "command": "a" \}, \/\/ first\n/);
    assert.match(after, /\} \/\/ second\n/);
    const removed = setUp.remove(old);
    assert.deepEqual(parseJson(removed), { mcpServers: { a: { command: "a" } } });
    assert.match(removed, /\/\/ second/);
  });

  it("removes a TOML table that people have changed, and keeps what they have added below it", () => {
    const setUp = setUpOf("codex", false, ["mcp"]);
    const before = 'model = "x"\n';
    const below = '\n[mcp_servers.b]\ncommand = "b"\n';
    assert.equal(setUp.remove(setUp.add(before) + below), before + below);
    const changed = setUp.add(before).replace("[mcp_servers", "# mine\n[mcp_servers");
    const longer = `${changed}tool_timeout_sec = 600\n\n[mcp_servers.if-coordinator.env]\nA = "b"\n${below}`;
    assert.deepEqual(parseToml(setUp.remove(longer)), parseToml(before + below));
  });

  it("refuses files that it cannot read, with the place", () => {
    const refusal = (client: ClientName, text: string): string => {
      try {
        setUpOf(client, false, ["mcp"]).add(text);
      } catch (error) {
        if (error instanceof ConfigFileError) return error.message;
        throw error;
      }
      return "none";
    };
    assert.match(refusal("claude", '{\n  "a": }\n'), /^line 2, column 8: /);
    assert.equal(refusal("cursor", "[]"), "the file is not a JSON object");
    assert.equal(refusal("gemini", '{"mcpServers": 7}'), "mcpServers is not an object");
    assert.match(refusal("codex", "a = \n"), /^line 1, column \d+: /);
    assert.match(
      refusal("codex", "mcp_servers = { a = { command = 'a' } }\n"),
      /line|cannot be added/,
    );
  });

  it("shows the lines that change", () => {
    assert.deepEqual(difference("a\nb\nc\n", "a\nx\ny\nc\n"), ["- b", "+ x", "+ y"]);
    assert.deepEqual(difference("", "a\n"), ["+ a"]);
  });
});

/** Whether the text still has every character of the first one, in order. */
function isSubsequence(first: string, text: string): boolean {
  const wanted = Buffer.from(first, "utf16le");
  let at = 0;
  for (const byte of Buffer.from(text, "utf16le")) if (byte === wanted[at]) at++;
  return at >= wanted.length;
}
