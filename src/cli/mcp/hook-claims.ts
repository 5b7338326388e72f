/** What the hooks of an agent find: a file with its claims, and a socket that answers questions about them. */
import { clientSettings } from "../../config/client-settings.ts";
import type { HeldClaim } from "../../mcp/held-claim.ts";
import { answerTo, type CheckedClaim, type Question } from "../hook/questions.ts";
import type { OpenCoordinator } from "../shared/client.ts";
import type { ConnectionOptions } from "../shared/connection-options.ts";
import { type BelievedClaim, isSame, writeClaims } from "./claims-file.ts";
import { HookListener } from "./hook-listener.ts";

/** Without an answer in time, a hook asks the coordinator itself. */
const ONCE = { deadlineMs: 0, timeoutMs: 800 } as const;

export class HookClaims {
  readonly #options: ConnectionOptions;
  readonly #client: number | null;
  readonly #warn: (message: string) => void;
  readonly #listener = new HookListener((question) => this.#answer(question));
  #open: OpenCoordinator | null = null;
  #claims: readonly BelievedClaim[] = [];
  #hasWarned = false;

  /**
   * @param client the process that has started the server, and runs the hooks. `null`: the server has many clients
   * @param warn is called once if hooks cannot know the claims
   */
  constructor(options: ConnectionOptions, client: number | null, warn: (message: string) => void) {
    this.#options = options;
    this.#client = client;
    this.#warn = warn;
  }

  /** The connection with which questions are answered. */
  async through(opening: Promise<OpenCoordinator>): Promise<OpenCoordinator> {
    this.#open = await opening;
    return this.#open;
  }

  /** Never throws. */
  write(session: string, held: readonly HeldClaim[]): void {
    const claims = held.map(({ claim: { task, attempt }, session: session_id }) => {
      return { task_id: task.task_id, attempt, session_id };
    });
    this.#claims = claims;
    try {
      const { servers = "" } = clientSettings(this.#options);
      if (claims.length === 0) this.#listener.close();
      const socket = claims.length === 0 ? undefined : this.#listener.listen();
      writeClaims(session, { servers, socket, claims }, this.#client);
    } catch (error) {
      if (this.#hasWarned) return;
      this.#hasWarned = true;
      const reason = error instanceof Error ? error.message : String(error);
      this.#warn(`hooks will not know the claims of this agent: ${reason}`);
    }
  }

  async #answer(question: Question): Promise<readonly CheckedClaim[]> {
    if (this.#open === null) throw new Error("there is no connection yet");
    // The agent has ended a claim meanwhile, or the file of another agent names this socket.
    if (!question.claims.every((claim) => this.#claims.some((own) => isSame(own, claim)))) {
      throw new Error("these are not the claims of this agent");
    }
    const { tasks } = this.#open.coordinator;
    return await answerTo(question, (operation, id, body) => tasks.call(operation, id, body, ONCE));
  }
}
