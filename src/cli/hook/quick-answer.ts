/**
 * Hooks that have nothing to do, as most have. A client waits for its hook before each command of the agent,
 * so this is decided before the command line is loaded.
 */
import { believedBy } from "./believed-claims.ts";
import { type EventName, EVENTS, inputOf } from "./events.ts";
import { publishes } from "./hook-input.ts";

/**
 * @param args as `hook <event> [--client <name>]`
 * @returns false if the whole command has to decide, also about other arguments
 */
export function hasNothingToDo([, name, ...options]: readonly string[]): boolean {
  const event = EVENTS.find((known) => known === name);
  const client = clientIn(options);
  if (event === undefined || event === "session-start" || client === undefined) return false;
  try {
    return concernsNobody(event, client);
  } catch {
    return false;
  }
}

function concernsNobody(event: EventName, client: string): boolean {
  const { command, sessionId } = inputOf(event);
  if (event === "pre-tool-use" && !publishes(command)) return true;
  return believedBy(client, sessionId, {}).claims.length === 0;
}

/** `undefined`: there are other options. */
function clientIn(options: readonly string[]): string | undefined {
  const [name, client, ...others] = options;
  if (name === undefined) return DEFAULT_CLIENT;
  return name === "--client" && others.length === 0 ? client : undefined;
}

export const DEFAULT_CLIENT = "claude";
