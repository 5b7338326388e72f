/** How the sessions of a simulation reach the coordinator: through the library, as any user does. */
import { Coordinator } from "../client/coordinator.ts";
import { EventBus } from "../client/event-bus.ts";
import type { Logger } from "../client/logger.ts";

/** The own connection of one session. */
export interface SessionLink {
  readonly coordinator: Coordinator;
  close(): Promise<void>;
}

/** The progress display uses the console, and short failures are part of the simulation. */
const QUIET: Logger = { debug: () => undefined, warn: () => undefined, error: () => undefined };

export async function connectSession(
  servers: readonly string[],
  name: string,
): Promise<SessionLink> {
  const bus = new EventBus({ backend: "nats", config: { servers, name }, logger: QUIET });
  if (!(await bus.connect())) throw new Error((await bus.health()).problem ?? "cannot connect");
  return { coordinator: new Coordinator(bus), close: () => bus.disconnect() };
}
