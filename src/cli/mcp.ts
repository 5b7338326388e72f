/** `if-coordinator mcp`: the tools of a coding agent, for the client that starts this command. */
import type { Command } from "commander";
import { agentSessionOfClient, givenMcpToken } from "../config/agent-session.ts";
import { sessionFromEnvironment } from "../config/client-settings.ts";
import type { Agent, AgentOptions } from "../mcp/agent.ts";
import { removeAbandonedClaims } from "./mcp/claims-file.ts";
import { removeAbandonedSeats, takeSeat, type Seat } from "./mcp/folder-seat.ts";
import { HookClaims } from "./mcp/hook-claims.ts";
import { removeAbandonedSockets } from "./mcp/hook-listener.ts";
import { ownedSession } from "./mcp/owned-session.ts";
import { type Address, parseAddress } from "./mcp/parse-address.ts";
import { openCoordinator } from "./shared/client.ts";
import { onOutputError } from "./shared/command-end.ts";
import { addConnectionOptions, type ConnectionOptions } from "./shared/connection-options.ts";
import { addExamples } from "./shared/help.ts";
import { Interruption, STOPS_SERVICE } from "./shared/interruption.ts";
import { printError } from "./shared/output.ts";
import { collectList, parseSeconds, parseSessionId } from "./shared/parse-values.ts";
import { printableLines } from "./shared/terminal-text.ts";

interface McpOptions extends ConnectionOptions {
  readonly session?: string;
  readonly capability?: readonly string[];
  readonly ttl?: number;
  readonly http?: Address;
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
    )
    .option(
      "--http <port>",
      "serve many agents over HTTP on this machine, not one over standard input",
      parseAddress,
    );
  addConnectionOptions(command).action(mcp);
  addExamples(command, [
    "mcp",
    "mcp --nats nats://host:4222 --capability python",
    "mcp --http 7400",
  ]);
}

async function mcp(options: McpOptions): Promise<void> {
  const outputClosed = new Promise<void>((resolve) => {
    onOutputError(() => {
      resolve();
    });
  });
  removeAbandonedSeats();
  removeAbandonedClaims();
  removeAbandonedSockets();
  using interruption = new Interruption(STOPS_SERVICE);
  const ended = Promise.race([outputClosed, interruption.happened]);
  if (options.http === undefined) await serveOne(options, ended);
  else await serveMany(options, options.http, ended);
}

/** The agent of the client that has started this command. */
async function serveOne(options: McpOptions, ended: Promise<void>): Promise<void> {
  const { Agent, serveAgent } = await loadStdio();
  const seats = new Seats(options);
  const agent = new Agent(agentOptions(options, () => options.session ?? seats.session()));
  try {
    await Promise.race([serveAgent(agent, say), ended]);
  } finally {
    await agent.stop();
    seats.leave();
  }
}

async function serveMany(
  options: McpOptions,
  address: Address,
  ended: Promise<void>,
): Promise<void> {
  const { Agent, AgentPool, serveHttp } = await loadHttp();
  const seats = new Seats(options);
  const agents = new AgentPool((named): Agent => {
    const session = (): string => named ?? options.session ?? seats.session();
    return new Agent(agentOptions(options, session));
  });
  const given = givenMcpToken();
  const token = given ?? newToken();
  const server = await serveHttp({ ...address, token, agents, warn: say });
  try {
    say(`serves agents at ${server.url}`);
    if (given === undefined) say(`each request needs the header: Authorization: Bearer ${token}`);
    await ended;
  } finally {
    await Promise.all([server.close(), agents.stop()]);
    seats.leave();
  }
}

function agentOptions(options: McpOptions, session: () => string): AgentOptions {
  const logger = { debug: () => undefined, warn: say, error: say };
  const hookClaims = new HookClaims(options, options.http === undefined ? process.ppid : null, say);
  return {
    open: () => hookClaims.through(openCoordinator(options, logger)),
    session,
    capabilities: options.capability ?? [],
    ttlSeconds: options.ttl,
    logger,
    believes: (session, held) => {
      hookClaims.write(session, held);
    },
  };
}

/** Only the messages of the protocol go to standard output. */
function say(message: string): void {
  printError(`if-coordinator: ${printableLines(message)}`);
}

const TOKEN_BYTES = 32;

function newToken(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(TOKEN_BYTES))).toString("base64url");
}

/** The session that the environment names, or a seat in the folder, which is taken when it is needed. */
class Seats {
  readonly #flags: ConnectionOptions;
  #seat: Seat | null = null;

  constructor(flags: ConnectionOptions) {
    this.#flags = flags;
  }

  session(): string {
    const given = sessionFromEnvironment();
    if (given !== undefined) return given;
    return ownedSession(agentSessionOfClient() ?? this.#taken(), this.#flags);
  }

  #taken(): string {
    this.#seat ??= takeSeat(process.cwd());
    return this.#seat.session;
  }

  leave(): void {
    this.#seat?.leave();
  }
}

/** On their own, because TypeScript 6.0 does not rewrite an `import()` in a function with `using`. */
async function loadStdio() {
  const [agent, stdio] = await Promise.all([
    import("../mcp/agent.ts"),
    import("../mcp/serve-stdio.ts"),
  ]);
  return { ...agent, ...stdio };
}

async function loadHttp() {
  const [agent, pool, http] = await Promise.all([
    import("../mcp/agent.ts"),
    import("../mcp/agent-pool.ts"),
    import("../mcp/serve-http.ts"),
  ]);
  return { ...agent, ...pool, ...http };
}
