/**
 * Which connection a request of another account came from. The NATS server says so in a header of the request, if
 * the import has `share: true`. It names its own name there, and its id nowhere.
 *
 * A client without such an import can write the header itself. Then the request ends when somebody else leaves, and
 * nobody but the client has lost anything.
 */
import type { Msg } from "@nats-io/transport-node";
import { isOfOtherAccount } from "./message-trace.ts";

const HEADER = "Nats-Request-Info";

export function clientKey(serverName: string, clientId: number): string {
  return `${serverName} ${clientId}`;
}

/** `null`: it is not known. Never throws. */
export function clientOf(msg: Msg): string | null {
  if (!isOfOtherAccount(msg.reply ?? "")) return null;
  try {
    const text = msg.headers?.get(HEADER) ?? "";
    if (text === "") return null;
    const { server, id } = JSON.parse(text) as { server?: unknown; id?: unknown };
    return typeof server === "string" && typeof id === "number" ? clientKey(server, id) : null;
  } catch {
    // Reading a malformed header throws.
    return null;
  }
}
