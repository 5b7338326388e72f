/** The calls of tools that docs/agents.md shows, and their replies. */
import assert from "node:assert/strict";
import type { McpClient } from "../support/mcp-client.ts";

/** Two agents, by the names that they have in the document. */
export interface Agents {
  readonly one: McpClient;
  readonly two: McpClient;
}

const CALL = /^(one|two)> (\w+) (\{.*\})\n(\{.*\})$/gm;

/**
 * Makes the calls of a section in order.
 *
 * @param expected what the reply is here, where it depends on the machine
 * @returns how many there were
 */
export async function makeCalls(
  section: string,
  agents: Agents,
  expected: (shown: string) => string = (shown) => shown,
): Promise<number> {
  const calls = [...section.matchAll(CALL)];
  for (const [, agent, tool = "", args = "", shown = ""] of calls) {
    const client = agent === "one" ? agents.one : agents.two;
    const { answer } = await client.answer(tool, JSON.parse(args) as object);
    assert.equal(JSON.stringify(answer), expected(shown), `${tool} ${args}`);
  }
  return calls.length;
}
