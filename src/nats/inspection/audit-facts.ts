/** What the stream of the audit holds. */
import type { JetStreamManager } from "@nats-io/jetstream";
import { AUDIT_STREAM } from "../audit-stream.ts";
import { findStream } from "../find-stream.ts";

export interface AuditFacts {
  readonly messages: number;
  readonly bytes: number;
  readonly maxBytes: number;
  /** Of the oldest message; `null` if there is none. */
  readonly since: string | null;
}

/** `null` if there is no such stream. @throws Error if the user may not ask */
export async function inspectAudit(jsm: JetStreamManager): Promise<AuditFacts | null> {
  const info = await findStream(jsm, AUDIT_STREAM);
  if (info === null) return null;
  const { state, config } = info;
  const { messages, bytes } = state;
  const since = messages === 0 ? null : new Date(state.first_ts).toISOString();
  return { messages, bytes, maxBytes: config.max_bytes, since };
}
