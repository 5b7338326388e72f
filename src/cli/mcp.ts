/** `if-coordinator mcp`: the tools of a coding agent, for the client that starts this command. */
import type { Command } from "commander";
import { givenAgentSession } from "../config/agent-session.ts";
import { takeSeat, type Seat } from "./mcp/folder-seat.ts";
import { openCoordinator } from "./shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "./shared/connection-options.ts";
import { addExamples } from "./shared/help.ts";
import { Interruption } from "./shared/interruption.ts";
import { printError } from "./shared/output.ts";
import { collectList, parseSeconds, parseSessionId } from "./shared/parse-values.ts";
import { printableLines } from "./shared/terminal-text.ts";
import { onOutputError } from "./shared/data.ts";

interface McpOptions extends ConnectionOptions {
  readonly session?: string;
  readonly capability?: readonly string[];
  readonly ttl?: number;
}

export function define(command: Command): void {
  command
    .option(
      "-s, --session <id>",
      "the agent's session (default: IF_COORDINATOR_SESSION, or from the client or the folder)",
      parseSessionId,
    )
    .option("--capability <name,...>", "what the agent can do; can be repeated", collectList)
    .option(
      "--ttl <duration>",
      "length of the leases, which are renewed (default: 5m)",
      parseSeconds,
    );
  addConnectionOptions(command).action(mcp);
  addExamples(command, ["mcp", "mcp --nats nats://host:4222 --capability python"]);
}

async function mcp(options: McpOptions): Promise<void> {
  // Only the messages of the protocol go to standard output.
  const say = (message: string): void => {
    printError(`if-coordinator: ${printableLines(message)}`);
  };
  const logger = { debug: () => undefined, warn: say, error: say };
  const { Agent, serveAgent } = await loadServer();
  let seat: Seat | null = null;
  const agent = new Agent({
    open: () => openCoordinator(options, logger),
    session: () => {
      const given = options.session ?? givenAgentSession();
      if (given !== undefined) return given;
      seat = takeSeat(process.cwd());
      return seat.session;
    },
    capabilities: options.capability ?? [],
    ttlSeconds: options.ttl,
    logger,
  });
  const outputClosed = new Promise<void>((resolve) => {
    onOutputError(() => {
      resolve();
    });
  });
  using interruption = new Interruption();
  try {
    await Promise.race([serveAgent(agent, say), outputClosed, interruption.happened]);
  } finally {
    await agent.stop();
    leave(seat);
  }
}

/** The compiler does not see that a callback has assigned the seat. */
function leave(seat: Seat | null): void {
  seat?.leave();
}

/** On its own, because TypeScript 6.0 does not rewrite an `import()` in a function with `using`. */
async function loadServer() {
  const [agent, stdio] = await Promise.all([
    import("../mcp/agent.ts"),
    import("../mcp/serve-stdio.ts"),
  ]);
  return { ...agent, ...stdio };
}
