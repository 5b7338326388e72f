/** The session of an agent that connects with credentials begins with the name in them: it may use no other. */
import { clientSettings, type ConnectionFlags } from "../../config/client-settings.ts";
import { nameInCredentials } from "../../nats/credentials-name.ts";

export function ownedSession(session: string, flags: ConnectionFlags): string {
  const { credsFile } = clientSettings(flags);
  const owner = credsFile === undefined ? null : nameInCredentials(credsFile);
  return owner === null ? session : `${owner}.${session}`;
}
