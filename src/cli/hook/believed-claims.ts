/** What the agent of a hook believes to hold. Most hooks need nothing else, so this loads no NATS client. */
import { agentSessionOfClient, sessionOfClient } from "../../config/agent-session.ts";
import { type ConnectionFlags, sessionFromEnvironment } from "../../config/client-settings.ts";
import { type Believed, readClaims, sessionsOfThisClient } from "../mcp/claims-file.ts";
import { seatsOf } from "../mcp/folder-seat.ts";
import { ownedSession } from "../mcp/owned-session.ts";

/** One for each session that can be the agent's, if anything is known of it. */
export function believedBy(
  client: string,
  clientSession: string | undefined,
  options: ConnectionFlags,
): readonly Believed[] {
  const files = sessionsOf(client, clientSession, options).map(readClaims);
  return files.filter((file) => file !== null);
}

/**
 * The sessions of the agent that the hook is for. A client can begin a new session without a new server; then
 * the server that it has started says which session it is. Without any word of the client, it is the only
 * agent of the folder; if there are several, nobody knows which it is.
 */
export function sessionsOf(
  client: string,
  clientSession: string | undefined,
  options: ConnectionFlags,
): string[] {
  const owned = (session: string): string => ownedSession(session, options);
  const ofClient = [
    agentSessionOfClient(),
    clientSession === undefined ? undefined : sessionOfClient(client, clientSession),
  ].filter((session) => session !== undefined);
  const named = [sessionFromEnvironment() ?? [], ofClient.map(owned)].flat();
  // The environment and the event usually name the same one.
  const known = [...new Set(named)].filter((session) => readClaims(session) !== null);
  if (known.length > 0) return known;
  const started = sessionsOfThisClient();
  if (started.length > 0) return started;
  const seats = seatsOf(process.cwd());
  return seats.length === 1 ? seats.map(owned) : [];
}
