/** Connections as requests name them, and as keys of maps. */
import type { ConnectionFields } from "../protocol/fields.ts";
import type { ConnectionId } from "./ports.ts";

export function connectionKey({ serverId, clientId }: ConnectionId): string {
  return `${serverId} ${clientId}`;
}

/** The connection that a request names; `null` if it names none. */
export function connectionOf(fields: ConnectionFields | undefined): ConnectionId | null {
  return fields === undefined ? null : { serverId: fields.server_id, clientId: fields.client_id };
}

export function isSameConnection(a: ConnectionId | null, b: ConnectionId | null): boolean {
  return a === null || b === null ? a === b : connectionKey(a) === connectionKey(b);
}
