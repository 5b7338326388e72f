/** Keeps a number of sessions at work: where one crashes, a new one takes its place. */
import { connectNats } from "../nats/connection.ts";
import { createRequester } from "../nats/request.ts";
import { TaskClient } from "../client/task-client.ts";
import type { ActivityLog } from "./activity-log.ts";
import type { SimulationOptions } from "./options.ts";
import { createRandomFor } from "./random.ts";
import { type SessionConnection, SimulatedSession } from "./session.ts";

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

  /** Runs until `stop` is called; rejects as soon as one session does. */
  async run(): Promise<void> {
    const places = Array.from({ length: this.#context.options.sessions }, (_, i) => this.#keep(i));
    try {
      await Promise.all(places);
    } catch (error) {
      await this.stop();
      await Promise.allSettled(places);
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await Promise.all([...this.#sessions].map((session) => session.stop()));
  }

  #hasStopped(): boolean {
    return this.#isStopping;
  }

  async #keep(place: number): Promise<void> {
    const { options, servers, capabilities, log } = this.#context;
    const random = createRandomFor(options.seed, place);
    for (let successor = 0; !this.#hasStopped(); successor++) {
      const sessionId = `session-${place + 1}${successor === 0 ? "" : `.${successor}`}`;
      const connection = await openConnection(servers, sessionId);
      const settings = { ...options, sessionId, capabilities };
      const session = new SimulatedSession(settings, connection, random, log);
      this.#sessions.add(session);
      try {
        // It may have been asked to stop while the connection was being made.
        if (this.#hasStopped()) await session.stop();
        await session.run();
      } finally {
        this.#sessions.delete(session);
      }
    }
  }
}

async function openConnection(
  servers: readonly string[],
  name: string,
): Promise<SessionConnection> {
  const connection = await connectNats({ servers, name });
  return {
    client: new TaskClient(createRequester(connection)),
    close: () => connection.close(),
  };
}
