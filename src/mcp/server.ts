/** The MCP server of an agent: its tools, and what a call of one becomes. */
import {
  type CallToolResult,
  McpServer,
  type ServerContext,
  type StandardSchemaWithJSON,
} from "@modelcontextprotocol/server";
import { VERSION } from "../version.ts";
import type { Agent } from "./agent.ts";
import { toToolError } from "./tool-error.ts";
import type { ArgumentSchema } from "./tool-arguments.ts";
import type { Call, Tool } from "./tool.ts";
import { TOOLS } from "./tools.ts";

/** It stays in the context of the model, like the tools. */
export const INSTRUCTIONS =
  "You share tasks with other agents. Work only on tasks that you hold: next_task, do the work, finish_task. " +
  "Read the notices of each reply and obey them. Your claims are renewed by themselves.";

/** One connection of a client. Several can belong to the same agent. */
export function createMcpServer(agent: Agent): McpServer {
  const server = new McpServer(
    { name: "if-coordinator", version: VERSION },
    { instructions: INSTRUCTIONS, capabilities: { tools: { listChanged: false } } },
  );
  for (const tool of TOOLS) register(server, agent, tool);
  return server;
}

function register(server: McpServer, agent: Agent, tool: Tool): void {
  const { name, description, isReadOnly = false } = tool;
  const config = { description, inputSchema: unchecked(tool.arguments) };
  const annotations = { readOnlyHint: true };
  server.registerTool(name, isReadOnly ? { ...config, annotations } : config, (given, context) =>
    callTool(agent, tool, given, context),
  );
}

/**
 * The server lists the schema, and checks nothing by it: the tool refuses wrong arguments in words that say
 * what to do.
 */
function unchecked(schema: ArgumentSchema): StandardSchemaWithJSON {
  const json = (): Record<string, unknown> => ({ ...schema });
  return {
    "~standard": {
      version: 1,
      vendor: "if-coordinator",
      validate: (value) => ({ value }),
      jsonSchema: { input: json, output: json },
    },
  };
}

async function callTool(
  agent: Agent,
  tool: Tool,
  given: unknown,
  context: ServerContext,
): Promise<CallToolResult> {
  const { signal, id } = context.mcpReq;
  const call: Call = { agent, id, signal, progress: progressOf(context) };
  try {
    const { session, view } = await agent.during(() => tool.run(given, call));
    for (const held of agent.claims(session)) held.note(tool.name);
    return resultOf({ ...view, notices: agent.notices.take(session) });
  } catch (error) {
    if (signal.aborted) throw error;
    const { code, message, next } = toToolError(error);
    const notices = agent.notices.take(agent.sessionId());
    return { ...resultOf({ status: "error", code, message, next, notices }), isError: true };
  }
}

/** Clients show a model either the text or the structured content, so both say the same. */
function resultOf(content: Readonly<Record<string, unknown>>): CallToolResult {
  return { content: [{ type: "text", text: JSON.stringify(content) }], structuredContent: content };
}

/** Progress restarts the time that a client waits for an answer. */
function progressOf({ mcpReq }: ServerContext): Call["progress"] {
  const token = mcpReq._meta?.progressToken;
  if (token === undefined) return () => undefined;
  return (progress, total) => {
    const params = { progressToken: token, progress, total, message: "waiting" };
    // If the client is gone, the call is aborted.
    mcpReq.notify({ method: "notifications/progress", params }).catch(() => undefined);
  };
}
