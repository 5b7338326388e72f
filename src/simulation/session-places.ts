/** Keeps a number of sessions at work. When one crashes, a new one takes its place. */
import type { ActivityLog } from "./activity-log.ts";
import type { SimulationOptions } from "./options.ts";
import { createRandomFor } from "./random.ts";
import { SimulatedSession } from "./session.ts";
import { connectSession } from "./session-link.ts";

export interface PlacesContext {
  readonly options: Pick<SimulationOptions, "sessions" | "crashRate" | "failRate" | "seed">;
  readonly servers: readonly string[];
  /** What every session can do. */
  readonly capabilities: readonly string[];
  readonly log: ActivityLog;
}

export class SessionPlaces {
  readonly #context: PlacesContext;
  readonly #sessions = new Set<SimulatedSession>();
  #isStopping = false;

  constructor(context: PlacesContext) {
    this.#context = context;
  }

  /** Runs until `stop` is called. Rejects as soon as one session does. */
  async run(): Promise<void> {
    const places = Array.from({ length: this.#context.options.sessions }, (_, i) => this.#keep(i));
    try {
      await Promise.all(places);
    } catch (error) {
      this.stop();
      await Promise.allSettled(places);
      throw error;
    }
  }

  stop(): void {
    this.#isStopping = true;
    for (const session of this.#sessions) session.stop();
  }

  #hasStopped(): boolean {
    return this.#isStopping;
  }

  async #keep(place: number): Promise<void> {
    const { options, servers, capabilities, log } = this.#context;
    const random = createRandomFor(options.seed, place);
    for (let successor = 0; !this.#hasStopped(); successor++) {
      const sessionId = `session-${place + 1}${successor === 0 ? "" : `.${successor}`}`;
      const link = await connectSession(servers, sessionId);
      const settings = { ...options, sessionId, capabilities };
      const session = new SimulatedSession(settings, link, random, log);
      this.#sessions.add(session);
      try {
        // It may have been asked to stop while the connection was being made.
        if (this.#hasStopped()) session.stop();
        await session.run();
      } finally {
        this.#sessions.delete(session);
      }
    }
  }
}
