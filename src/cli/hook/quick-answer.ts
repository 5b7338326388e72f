/**
 * Hooks without the command line. A client waits for its hook before each command of the agent, and most hooks
 * have nothing to do. This decides which, and loads only what the others need.
 */
import { type EventName, EVENTS, inputOf } from "./events.ts";
import { publishes } from "./hook-input.ts";

/**
 * @param args as `hook <event> [--client <name>]`
 * @returns false if the whole command line has to decide, because there are other arguments
 */
export async function answersHook([, name, ...options]: readonly string[]): Promise<boolean> {
  const event = EVENTS.find((known) => known === name);
  const client = clientIn(options);
  if (event === undefined || client === undefined) return false;
  if (await hasNothingToDo(event, client)) return true;
  const { carryOut } = await import("./carry-out.ts");
  await carryOut(event, client, {});
  return true;
}

async function hasNothingToDo(event: EventName, client: string): Promise<boolean> {
  if (event === "session-start") return false;
  try {
    const { command, sessionId } = inputOf(event);
    if (event === "pre-tool-use" && !publishes(command)) return true;
    const { believedBy } = await import("./believed-claims.ts");
    return believedBy(client, sessionId, {}).every(({ claims }) => claims.length === 0);
  } catch {
    // The hook itself reports it.
    return false;
  }
}

/** `undefined`: there are other options. */
function clientIn(options: readonly string[]): string | undefined {
  const [name, client = "", ...others] = options;
  if (name === undefined) return DEFAULT_CLIENT;
  const isName = name === "--client" && /^[a-z-]+$/.test(client);
  return isName && others.length === 0 ? client : undefined;
}

export const DEFAULT_CLIENT = "claude";
