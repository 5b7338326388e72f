/** A swarm of scripted agents, each with its own MCP server, that works off a file of tasks. */
import { McpClient, PROTOCOLS } from "../support/mcp-client.ts";
import type { TestCoordinator } from "../support/test-coordinator.ts";

export interface SwarmOptions {
  readonly servers: number;
  /** Servers that are killed, and as many whose input is closed, while they hold a task. */
  readonly victims: number;
  /** Where the servers keep their files: one that is killed leaves some behind. */
  readonly folder: string;
}

/** A model reads about four characters as one token. */
const CHARACTERS_PER_TOKEN = 4;

export class Swarm {
  /** Characters that the models have read and written: the tools once for each agent, calls and replies. */
  #characters = 0;
  #finished = 0;
  readonly #coordinator: TestCoordinator;
  readonly #options: SwarmOptions;
  #kills: number;
  #closes: number;

  constructor(coordinator: TestCoordinator, options: SwarmOptions) {
    this.#coordinator = coordinator;
    this.#options = options;
    this.#kills = options.victims;
    this.#closes = options.victims;
  }

  get finished(): number {
    return this.#finished;
  }

  get tokensPerTask(): number {
    return this.#characters / CHARACTERS_PER_TOKEN / this.#finished;
  }

  /** Resolves when no task is left. */
  async run(): Promise<void> {
    const agents = Array.from({ length: this.#options.servers }, (_, index) => this.#work(index));
    await Promise.all(agents);
  }

  async #work(index: number): Promise<void> {
    const { url } = this.#coordinator.server;
    const env = { TMPDIR: this.#options.folder };
    const age = PROTOCOLS[index % PROTOCOLS.length] ?? "old";
    await using mcp = await McpClient.start({ url, age, session: `agent-${index}`, env });
    await this.#countTools(mcp);
    for (let taken = 0; ; taken++) {
      const next = await this.#call(mcp, "next_task", { wait_seconds: 5 });
      if (next.status !== "claimed") {
        if (next.call_again === true) continue;
        return;
      }
      if (taken === 1 && this.#kills-- > 0) {
        process.kill(mcp.pid, "SIGKILL");
        return;
      }
      if (taken === 1 && this.#closes-- > 0) return;
      const { claim } = next;
      if (taken % 3 === 0) await this.#call(mcp, "report_progress", { note: "half done" });
      const result =
        "implemented and tested: src/providers/example.ts, test/providers/example.test.ts";
      const end = await this.#call(mcp, "finish_task", { claim, outcome: "done", result });
      if (end.status !== "complete") throw new Error(`${claim}: ${JSON.stringify(end)}`);
      this.#finished++;
    }
  }

  async #countTools(mcp: McpClient): Promise<void> {
    const { tools } = await mcp.client.listTools();
    this.#characters += JSON.stringify(tools).length + (mcp.client.getInstructions() ?? "").length;
  }

  async #call(mcp: McpClient, tool: string, args: object): Promise<Record<string, any>> {
    const reply = await mcp.call(tool, args);
    this.#characters += tool.length + JSON.stringify(args).length + JSON.stringify(reply).length;
    return reply;
  }
}
