/** Serves one client over standard input and output, for as long as the client is there. */
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import type { Agent } from "./agent.ts";
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
  const handle = serveStdio(() => createMcpServer(agent), {
    onerror: ({ message }) => {
      warn(message);
    },
  });
  await gone;
  await handle.close();
}
