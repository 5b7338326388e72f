/** What a message of a KV bucket's stream says. */
import { type MsgHdrs, nuid } from "@nats-io/transport-node";

export interface KvMessage {
  readonly key: string;
  readonly revision: number;
  /** `expired`: the server removed the entry because its TTL had run out. */
  readonly operation: "put" | "removed" | "expired";
  /** Decoded each time. */
  readonly text: string;
  /** Epoch milliseconds. */
  readonly writtenAt: number;
  /** Which write it is of; `null`: whoever wrote it did not say. */
  readonly writeId: string | null;
}

/** As the watch brings it. */
export interface WatchedMessage extends KvMessage {
  /** The bytes of the text. */
  readonly payload: Uint8Array;
}

/** The header with the `writeId`. */
export const WRITE_ID = "Write-Id";

/** Another one each time, in any process. */
export function newWriteId(): string {
  return nuid.next();
}

type ReadHeaders = () => MsgHdrs | undefined;

/** Purges, deletes and the server's own markers are told apart by their headers only. */
export function operationOf(readHeaders: ReadHeaders): KvMessage["operation"] {
  const headers = readable(readHeaders);
  if (headers === undefined) return "put";
  const reason = headers.get("Nats-Marker-Reason");
  if (reason === "MaxAge") return "expired";
  const operation = headers.get("KV-Operation");
  return reason !== "" || operation === "DEL" || operation === "PURGE" ? "removed" : "put";
}

export function writeIdOf(readHeaders: ReadHeaders): string | null {
  const id = readable(readHeaders)?.get(WRITE_ID) ?? "";
  return id === "" ? null : id;
}

/**
 * Headers that cannot be read, which makes reading throw, are neither ours nor the server's: somebody
 * has put a value.
 */
function readable(readHeaders: ReadHeaders): MsgHdrs | undefined {
  try {
    return readHeaders();
  } catch {
    return undefined;
  }
}
