/** Serves one client over standard input and output, for as long as the client is there. */
import type { JSONRPCMessage } from "@modelcontextprotocol/server";
import { serveStdio, StdioServerTransport } from "@modelcontextprotocol/server/stdio";
import type { Agent, CallId } from "./agent.ts";
import { createMcpServer } from "./server.ts";

/**
 * Resolves when the client has gone: it has closed the input. Both old and new protocol versions are served.
 *
 * @param warn is told what the client gets no answer about, such as a message that is not JSON
 */
export async function serveAgent(agent: Agent, warn: (message: string) => void): Promise<void> {
  const gone = new Promise<void>((resolve) => {
    for (const event of ["end", "close", "error"]) {
      process.stdin.once(event, () => {
        resolve();
      });
    }
  });
  const transport = new StdioServerTransport();
  const handle = serveStdio(() => createMcpServer(agent), {
    transport,
    onerror: ({ message }) => {
      warn(message);
    },
  });
  const { onmessage: deliver } = transport;
  transport.onmessage = (message) => {
    deliver?.(message);
    const cancelled = cancelledBy(message);
    if (cancelled !== undefined) agent.cancelled(cancelled);
  };
  await gone;
  await handle.close();
}

/** The server ends calls that are cancelled. It ignores calls that it has answered, but a claim must not be lost. */
function cancelledBy(message: JSONRPCMessage): CallId | undefined {
  if (!("method" in message) || message.method !== "notifications/cancelled") return undefined;
  const { requestId } = message.params ?? {};
  return typeof requestId === "string" || typeof requestId === "number" ? requestId : undefined;
}
