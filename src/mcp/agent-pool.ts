/**
 * The agents of a server that many clients use. HTTP does not say when a client goes, so an agent that calls
 * no tool for half an hour gives its tasks back.
 */
import { isValidId } from "../protocol/subjects.ts";
import type { Agent } from "./agent.ts";

const IDLE_MS = 30 * 60_000;
/** The least recently used agent gives way. */
const MAX_AGENTS = 1_000;

interface Used {
  readonly agent: Agent;
  idle: NodeJS.Timeout;
}

export class AgentPool {
  /** By session, the most recently used last. */
  readonly #used = new Map<string, Used>();
  readonly #create: (session: string | undefined) => Agent;
  readonly #idleMs: number;

  /** @param create with the session that the client names */
  constructor(create: (session: string | undefined) => Agent, idleMs = IDLE_MS) {
    this.#create = create;
    this.#idleMs = idleMs;
  }

  /** @throws Error if it is not an id */
  agentOf(session: string | undefined): Agent {
    if (session !== undefined && !isValidId(session)) throw new Error("the session is not an id");
    const key = session ?? "";
    const before = this.#used.get(key);
    if (before !== undefined) clearTimeout(before.idle);
    this.#used.delete(key);
    const agent = before?.agent ?? this.#create(session);
    this.#used.set(key, { agent, idle: this.#endWhenIdle(key) });
    const [oldest] = this.#used.keys();
    if (this.#used.size > MAX_AGENTS && oldest !== undefined) this.#end(oldest);
    return agent;
  }

  /** Never rejects. */
  async stop(): Promise<void> {
    const agents = [...this.#used.values()];
    this.#used.clear();
    for (const { idle } of agents) clearTimeout(idle);
    await Promise.all(agents.map(({ agent }) => agent.stop()));
  }

  #endWhenIdle(key: string): NodeJS.Timeout {
    const timer = setTimeout(() => {
      const used = this.#used.get(key);
      // A call can wait for longer.
      if (used?.agent.isBusy === true) used.idle = this.#endWhenIdle(key);
      else this.#end(key);
    }, this.#idleMs);
    return timer.unref();
  }

  #end(key: string): void {
    const used = this.#used.get(key);
    if (used === undefined) return;
    clearTimeout(used.idle);
    this.#used.delete(key);
    void used.agent.stop();
  }
}
