/** A message of a KV bucket's stream, decoded. */
import { type MsgHdrs, nuid } from "@nats-io/transport-node";

export interface KvMessage {
  readonly key: string;
  readonly revision: number;
  /** `expired`: the server removed the entry because its TTL was over. */
  readonly operation: "put" | "removed" | "expired";
  /** Decoded at each access. */
  readonly text: string;
  /** Epoch milliseconds. */
  readonly writtenAt: number;
  /** The id of the write; `null` if the writer gave none. */
  readonly writeId: string | null;
  /** Of a marker: why the entry was removed, if the writer said so. Otherwise `null`. */
  readonly reason: string | null;
}

/** A message that the watch delivers. */
export interface WatchedMessage extends KvMessage {
  /** The bytes of the text. */
  readonly payload: Uint8Array;
}

/** The header with the `writeId`. */
export const WRITE_ID = "Write-Id";

/** The header with the `reason`. */
export const REMOVAL_REASON = "Removal-Reason";

/** A new id that no other process uses. */
export function newWriteId(): string {
  return nuid.next();
}

type ReadHeaders = () => MsgHdrs | undefined;

/** Only the headers tell purges, deletes and the server's own markers from each other. */
export function operationOf(readHeaders: ReadHeaders): KvMessage["operation"] {
  const headers = readable(readHeaders);
  if (headers === undefined) return "put";
  const reason = headers.get("Nats-Marker-Reason");
  if (reason === "MaxAge") return "expired";
  const operation = headers.get("KV-Operation");
  return reason !== "" || operation === "DEL" || operation === "PURGE" ? "removed" : "put";
}

export function writeIdOf(readHeaders: ReadHeaders): string | null {
  return headerOf(readHeaders, WRITE_ID);
}

export function reasonOf(readHeaders: ReadHeaders): string | null {
  return headerOf(readHeaders, REMOVAL_REASON);
}

function headerOf(readHeaders: ReadHeaders, name: string): string | null {
  const value = readable(readHeaders)?.get(name) ?? "";
  return value === "" ? null : value;
}

/** Reading malformed headers throws. They are neither ours nor the server's, so the message is a put. */
function readable(readHeaders: ReadHeaders): MsgHdrs | undefined {
  try {
    return readHeaders();
  } catch {
    return undefined;
  }
}
