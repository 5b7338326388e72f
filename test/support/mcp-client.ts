/** A client of the Model Context Protocol, as coding agents have one, with `if-coordinator mcp` as its server. */
import { Client, type RequestOptions } from "@modelcontextprotocol/client";
import {
  StdioClientTransport,
  type StdioServerParameters,
} from "@modelcontextprotocol/client/stdio";
import { MAIN } from "./cli-process.ts";

/** `old` is the handshake of 2025, and `new` the protocol version 2026-07-28. */
export type ProtocolAge = "old" | "new";

export const PROTOCOLS: readonly ProtocolAge[] = ["old", "new"];

export interface McpClientOptions {
  readonly url: string;
  readonly age?: ProtocolAge;
  readonly session?: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** What a tool answered, as a model reads it. */
export type ToolAnswer = Readonly<Record<string, any>>;

export class McpClient implements AsyncDisposable {
  readonly client: Client;
  readonly transport: StdioClientTransport;
  /** What the server wrote to standard error. */
  stderr = "";
  /** Resolves when the server has ended. */
  readonly closed: Promise<void>;

  private constructor(client: Client, transport: StdioClientTransport) {
    this.client = client;
    this.transport = transport;
    this.closed = new Promise((resolve) => {
      client.onclose = resolve;
    });
    transport.stderr?.on("data", (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
  }

  static async start(options: McpClientOptions): Promise<McpClient> {
    const { url, age, session, args = [], cwd, env = {} } = options;
    const server = {
      command: process.execPath,
      args: [MAIN, "mcp", "--nats", url, ...args],
      env: {
        ...withoutAgent(process.env),
        ...(session === undefined ? {} : { IF_COORDINATOR_SESSION: session }),
        ...env,
      },
      ...(cwd === undefined ? {} : { cwd }),
    };
    return await McpClient.startServer(server, age);
  }

  /** The server gets only the few variables that the SDK passes on, and those that are given. */
  static async startServer(
    server: StdioServerParameters,
    age: ProtocolAge = "old",
  ): Promise<McpClient> {
    const transport = new StdioClientTransport({ ...server, stderr: "pipe" });
    const client = new Client(
      { name: "test", version: "1" },
      { versionNegotiation: { mode: age === "old" ? "legacy" : { pin: "2026-07-28" } } },
    );
    const started = new McpClient(client, transport);
    await client.connect(transport);
    return started;
  }

  /** Calls a tool that must succeed. */
  async call(name: string, args: object = {}, options?: RequestOptions): Promise<ToolAnswer> {
    const { answer, isError } = await this.answer(name, args, options);
    if (isError) throw new Error(`${name}: ${JSON.stringify(answer)}`);
    return answer;
  }

  /** Calls a tool that must refuse, and returns the refusal. */
  async refusal(name: string, args: object = {}): Promise<ToolAnswer> {
    const { answer, isError } = await this.answer(name, args);
    if (!isError) throw new Error(`${name} was not refused: ${JSON.stringify(answer)}`);
    return answer;
  }

  async answer(
    name: string,
    args: object,
    options?: RequestOptions,
  ): Promise<{ readonly answer: ToolAnswer; readonly isError: boolean }> {
    const params = { name, arguments: { ...args } };
    const result = await this.client.callTool(params, options);
    const answer = result.structuredContent as ToolAnswer;
    const [text] = result.content;
    if (text?.type !== "text" || text.text !== JSON.stringify(answer)) {
      throw new Error(`text and structured content differ: ${JSON.stringify(result)}`);
    }
    return { answer, isError: result.isError === true };
  }

  get pid(): number {
    return this.transport.pid ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
  }
}

/** The environment without the session of the agent that runs the tests. */
function withoutAgent(env: NodeJS.ProcessEnv): Record<string, string> {
  const kept = Object.entries(env).filter(
    ([name, value]) =>
      value !== undefined && !/^(CLAUDE|CODEX|GEMINI|CURSOR|IF_COORDINATOR|NATS)/.test(name),
  );
  return Object.fromEntries(kept) as Record<string, string>;
}
