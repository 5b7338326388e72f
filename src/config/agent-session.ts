/** The session of a coding agent, from what its client says in the environment. */
import { createRequire } from "node:module";
import { basename } from "node:path";
import { type Environment, MCP_TOKEN_VARIABLE } from "./variables.ts";

/** The variables in which clients name the session of the agent, with a short name of the client. */
const CLIENTS: readonly (readonly [variable: string, client: string])[] = [
  ["CLAUDE_CODE_SESSION_ID", "claude"],
  ["CODEX_THREAD_ID", "codex"],
  ["GEMINI_SESSION_ID", "gemini"],
  ["CURSOR_CONVERSATION_ID", "cursor"],
];

/** Enough to distinguish the agents of a swarm. The end, because some ids begin with the time. */
const ID_LENGTH = 12;
const HASH_LENGTH = 6;
const MAX_FOLDER_LENGTH = 40;

/** The session by what the client says in the environment. `undefined`: it says nothing. */
export function agentSessionOfClient(env: Environment = process.env): string | undefined {
  for (const [variable, client] of CLIENTS) {
    const id = env[variable];
    if (id !== undefined && id !== "") return sessionOfClient(client, id);
  }
  return undefined;
}

/** The token of agents that use MCP over HTTP. `undefined`: none is given. */
export function givenMcpToken(env: Environment = process.env): string | undefined {
  const token = env[MCP_TOKEN_VARIABLE];
  return token === "" ? undefined : token;
}

/** The session of an agent by the id that its client has for it, such as `claude-3f2a91bc04de`. */
export function sessionOfClient(client: string, id: string): string {
  const word = id.replace(/[^A-Za-z0-9]+/g, "");
  return `${client}-${word.slice(-ID_LENGTH) || hashOf(id)}`;
}

/** A name for the agents of a folder, such as `my-app-1f0c3a`. */
export function sessionOfFolder(folder: string): string {
  const name = basename(folder)
    .replace(/[^A-Za-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, MAX_FOLDER_LENGTH);
  return [name, hashOf(folder)].filter((part) => part !== "").join("-");
}

function hashOf(text: string): string {
  // Most hooks need no hash, and the module takes time to load.
  const { createHash } = createRequire(import.meta.url)(
    "node:crypto",
  ) as typeof import("node:crypto");
  return createHash("sha256").update(text).digest("hex").slice(0, HASH_LENGTH);
}
