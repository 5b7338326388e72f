/** The clients that can be set up: where each keeps its servers, and in which format. */
import { homedir } from "node:os";
import { join } from "node:path";
import { addToJson, isInJson, removeFromJson } from "./json-config.ts";
import { addSection, removeSection } from "./markdown-section.ts";
import { addToToml, isInToml, removeFromToml } from "./toml-config.ts";
import { UsageError } from "../shared/errors.ts";

export const CLIENTS = ["claude", "codex", "cursor", "gemini", "agents-md"] as const;
export type ClientName = (typeof CLIENTS)[number];

/** What a set-up does to one file. The functions throw `ConfigFileError`. */
export interface SetUp {
  readonly file: string;
  readonly add: (text: string) => string;
  readonly remove: (text: string) => string;
  readonly has: (text: string) => boolean;
}

/** Below the folder of the project, and below that of the user. */
const FILES: Readonly<
  Record<ClientName, { readonly project: string; readonly user: string | null }>
> = {
  claude: { project: ".mcp.json", user: ".claude.json" },
  codex: { project: ".codex/config.toml", user: ".codex/config.toml" },
  cursor: { project: ".cursor/mcp.json", user: ".cursor/mcp.json" },
  gemini: { project: ".gemini/settings.json", user: ".gemini/settings.json" },
  "agents-md": { project: "AGENTS.md", user: null },
};

const NAME = "if-coordinator";

/** For agents whose client has no tools: AGENTS.md is read by most of them. */
const SECTION = `## Shared tasks

Other agents work on the tasks of this project, too. Work only on a task that you hold.

- With the tools of if-coordinator: \`next_task\`, do the work, \`finish_task\`. Read the \`notices\` of each reply and obey them.
- Without them: \`if-coordinator prime\` prints the commands that you need.
- Before you push or publish, check that you still hold the task: \`report_progress\`, or \`if-coordinator task verify\`.`;

/**
 * @param args of `if-coordinator`, such as `mcp --nats nats://host:4222`
 * @throws UsageError
 */
export function setUpOf(client: ClientName, isOfUser: boolean, args: readonly string[]): SetUp {
  const { project, user } = FILES[client];
  if (isOfUser && user === null) throw new UsageError(`--user: ${client} is a file of the project`);
  const file = isOfUser ? join(homedir(), user ?? "") : project;
  if (client === "agents-md") {
    return {
      file,
      add: (text) => addSection(text, SECTION),
      remove: removeSection,
      has: (text) => text !== "" && addSection(text, SECTION) === text,
    };
  }
  const value = { command: NAME, args: [...args] };
  if (client === "codex") {
    const entry = { path: ["mcp_servers", NAME], value };
    return {
      file,
      add: (text) => addToToml(text, entry),
      remove: (text) => removeFromToml(text, entry),
      has: (text) => isInToml(text, entry),
    };
  }
  const entry = { path: ["mcpServers", NAME], value };
  return {
    file,
    add: (text) => addToJson(text, entry),
    remove: (text) => removeFromJson(text, entry),
    has: (text) => isInJson(text, entry),
  };
}
