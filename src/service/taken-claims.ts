/**
 * The claims that sessions have lost and have not been told about.
 *
 * A session that never asks could lose claims without end. So there is a limit for all sessions whose ids begin
 * with the same name. Of what exceeds it, the next renewal of the claim tells.
 */
import { Counts } from "./counts.ts";
import { nameIn } from "./session-name.ts";

/** How a claim was taken from its session. `replaced`: an earlier process of the session made the claim. */
export type Taking = "lost" | "cancelled" | "replaced";

/** As many as the sessions of an agent may hold, by default. */
const MOST_PER_NAME = 20_000;

const NONE: ReadonlyMap<string, Taking> = new Map();

export class TakenClaims {
  readonly #bySession = new Map<string, Map<string, Taking>>();
  readonly #byName = new Counts();
  readonly #most: number;

  constructor(mostPerName = MOST_PER_NAME) {
    this.#most = mostPerName;
  }

  note(sessionId: string, taskId: string, how: Taking): void {
    const taken = this.#bySession.get(sessionId);
    if (taken?.has(taskId) !== true) {
      const name = nameIn(sessionId);
      if (this.#byName.of(name) >= this.#most) return;
      this.#byName.add(name, 1);
    }
    if (taken === undefined) this.#bySession.set(sessionId, new Map([[taskId, how]]));
    else taken.set(taskId, how);
  }

  /** The session holds the task again. */
  delete(sessionId: string, taskId: string): void {
    const taken = this.#bySession.get(sessionId);
    if (taken?.delete(taskId) !== true) return;
    this.#byName.add(nameIn(sessionId), -1);
    if (taken.size === 0) this.#bySession.delete(sessionId);
  }

  /** Returns those of the session and forgets them. */
  take(sessionId: string): ReadonlyMap<string, Taking> {
    const taken = this.#bySession.get(sessionId);
    if (taken === undefined) return NONE;
    this.#bySession.delete(sessionId);
    this.#byName.add(nameIn(sessionId), -taken.size);
    return taken;
  }
}
