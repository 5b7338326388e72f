/**
 * docs/agents.md, client by client: `setup` writes what the document shows, and two agents whose servers are
 * started as the written file says share a board.
 */
import assert from "node:assert/strict";
import { mkdir, readFile, realpath } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { describe, it } from "node:test";
import { parse as parseToml } from "smol-toml";
import type { ClientName } from "../../../src/cli/setup/clients.ts";
import { sessionOfFolder } from "../../../src/config/agent-session.ts";
import { makeCalls } from "../../mcp/documented-calls.ts";
import { runCli } from "../../support/cli-process.ts";
import { codeBlocks, read, ROOT, section } from "../../support/markdown.ts";
import { McpClient } from "../../support/mcp-client.ts";
import { installCommand } from "../../support/nats-cli.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { TestCoordinator } from "../../support/test-coordinator.ts";

const DOCUMENT = read("docs/agents.md");

/** What a client finds in its file. */
interface Server {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

interface Client {
  readonly name: ClientName;
  /** The heading of its section. */
  readonly title: string;
  /** The variable by which it tells its servers the session of the agent, if it does. */
  readonly sessionVariable?: string;
  readonly serverIn: (text: string) => Server;
}

const inJson = (text: string): Server => JSON.parse(text).mcpServers["if-coordinator"];
// The parser makes objects without a prototype.
const inToml = (text: string): Server => ({
  ...(parseToml(text) as any).mcp_servers["if-coordinator"],
});

const CLIENTS: readonly Client[] = [
  {
    name: "claude",
    title: "Claude Code",
    sessionVariable: "CLAUDE_CODE_SESSION_ID",
    serverIn: inJson,
  },
  { name: "codex", title: "Codex", serverIn: inToml },
  { name: "gemini", title: "Gemini CLI", serverIn: inJson },
  { name: "cursor", title: "Cursor", serverIn: inJson },
];

for (const { name, title, sessionVariable, serverIn } of CLIENTS) {
  describe(`two agents of ${title}`, () => {
    const shown = section(DOCUMENT, title);

    it("share a board as the document shows, with the server that setup has written", async () => {
      await using coordinator = await TestCoordinator.start();
      await using temp = await TempFolder.create();
      const { url } = coordinator.server;
      const project = join(await realpath(temp.path), "weather-bot");
      await mkdir(project);
      const setup = (...args: string[]): Promise<string> =>
        printed(["setup", name, ...args], project);

      const [file, output] = setupIn(shown, name);
      assert.equal(await setup(), output);
      assert.equal(await setup("--check"), `${file} is set up\n`);
      // The tests have a port of their own.
      await setup("--nats", url);
      const server = serverIn(await readFile(join(project, file), "utf8"));
      const { command, args, env = {} } = server;
      assert.deepEqual(server, { command: "if-coordinator", args: ["mcp", "--nats", url] });

      await printed(["import", "examples/board.md", "--nats", url], ROOT);
      const path = [installCommand(temp.path), process.env.PATH].join(delimiter);
      const sessions = sessionsIn(shown);
      const start = (session: string | undefined): Promise<McpClient> => {
        const named = sessionVariable === undefined ? {} : { [sessionVariable]: session ?? "" };
        const environment = { PATH: path, TMPDIR: temp.path, ...named, ...env };
        return McpClient.startServer({ command, args: [...args], env: environment, cwd: project });
      };
      await using one = await start(sessions[0]);
      await using two = await start(sessions[1]);
      const calls = await makeCalls(shown, { one, two }, (reply) =>
        reply.replace(/weather-bot-[0-9a-f]{6}/g, sessionOfFolder(project)),
      );
      assert.equal(calls, 5);
      await setup("--nats", url, "--remove");
      assert.equal(await setup("--remove"), `${file} has nothing of it\n`);
    });
  });
}

/** The file that the set-up of a section changes, and what it prints. */
function setupIn(text: string, client: ClientName): readonly [file: string, output: string] {
  const [block] = codeBlocks(text);
  const [command, ...output] = (block?.text ?? "").split("\n");
  assert.equal(command, `$ if-coordinator setup ${client}`);
  const [file = ""] = output;
  return [file, `${output.join("\n")}\n`];
}

/** What the client has called the sessions of both agents. */
function sessionsIn(text: string): string[] {
  return [...text.matchAll(/"claimed_by":"claude-(\w+)"/g)].map(([, id = ""]) => id);
}

async function printed(args: readonly string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await runCli(args, { cwd });
  assert.equal(code, 0, stderr);
  return stdout;
}
