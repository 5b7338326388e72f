/** docs/agents.md: its table of the tools, and the calls that it shows. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TOOLS } from "../../src/mcp/tools.ts";
import { read, section, table } from "../support/markdown.ts";
import { McpClient } from "../support/mcp-client.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";
import { makeCalls } from "./documented-calls.ts";

const DOCUMENT = read("docs/agents.md");

describe("docs/agents.md", () => {
  it("lists every tool with its arguments", () => {
    const rows = table(section(DOCUMENT, "Tools"), "Tool");
    const listed = rows.map((row) => [row.Tool, row.Arguments]);
    const expected = TOOLS.map(({ name, arguments: { properties } }) => {
      return [name, Object.keys(properties as object).join(", ")];
    });
    assert.deepEqual(listed, expected);
  });

  it("shows calls with the replies that agents get", async () => {
    await using coordinator = await TestCoordinator.start();
    const { url } = coordinator.server;
    await using one = await McpClient.start({ url, session: "agent-one", age: "old" });
    await using two = await McpClient.start({ url, session: "agent-two", age: "new" });
    assert.equal(await makeCalls(section(DOCUMENT, "A longer run"), { one, two }), 11);
  });
});
