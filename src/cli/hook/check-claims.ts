/** Whether the claims that an agent believes to hold are still its own. */
import { agentSessionOfClient, sessionOfClient } from "../../config/agent-session.ts";
import { sessionFromEnvironment } from "../../config/client-settings.ts";
import { type BelievedClaim, readClaims } from "../mcp/claims-file.ts";
import { seatsOf } from "../mcp/folder-seat.ts";
import { ownedSession } from "../mcp/owned-session.ts";
import { withCalls } from "../shared/client.ts";
import type { ConnectionOptions } from "../shared/connection-options.ts";
import { reportOf } from "../shared/errors.ts";
import { EXIT } from "../shared/exit-codes.ts";

export interface CheckedClaim extends BelievedClaim {
  readonly holds: boolean;
  /** The session that holds the task now. */
  readonly holder: string | null;
}

/** A client waits for its hook. */
const PATIENCE_MS = 1_000;

/**
 * The sessions of the agent that the hook is for. Without any word of the client, it is the only agent of the
 * folder; if there are several, nobody knows which it is.
 */
export function sessionsOf(
  client: string,
  clientSession: string | undefined,
  options: ConnectionOptions,
): string[] {
  const owned = (session: string): string => ownedSession(session, options);
  const ofClient = [
    agentSessionOfClient(),
    clientSession === undefined ? undefined : sessionOfClient(client, clientSession),
  ].filter((session) => session !== undefined);
  const named = [sessionFromEnvironment() ?? [], ofClient.map(owned)].flat();
  const known = named.filter((session) => readClaims(session) !== null);
  if (known.length > 0) return known;
  const seats = seatsOf(process.cwd());
  return seats.length === 1 ? seats.map(owned) : [];
}

/** `null`: no coordinator answers, so nobody knows. */
export async function checkClaims(
  sessions: readonly string[],
  options: ConnectionOptions,
): Promise<readonly CheckedClaim[] | null> {
  const believed = sessions.map(readClaims).filter((one) => one !== null);
  const claims = believed.flatMap((one) => one.claims);
  if (claims.length === 0) return [];
  const servers = believed.find((one) => one.servers !== "")?.servers;
  const connection = servers === undefined ? {} : { nats: servers };
  try {
    let checked: readonly CheckedClaim[] = [];
    await withCalls(
      { ...connection, timeout: PATIENCE_MS, json: true, ...options },
      async (open) => {
        checked = await Promise.all(
          claims.map(async (claim) => {
            const { task_id: id, ...holder } = claim;
            const { holds, holder: other } = await open.calls.call(
              "tasks.verify",
              id,
              () => holder,
            );
            return { ...claim, holds, holder: other };
          }),
        );
      },
    );
    return checked;
  } catch (error) {
    if (reportOf(error).exitCode === EXIT.noCoordinator) return null;
    throw error;
  }
}
