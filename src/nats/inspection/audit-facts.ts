/** What the stream of the audit holds. */
import { JetStreamApiCodes, JetStreamApiError, type JetStreamManager } from "@nats-io/jetstream";
import { AUDIT_STREAM } from "../audit-stream.ts";

export interface AuditFacts {
  readonly messages: number;
  readonly bytes: number;
  readonly maxBytes: number;
  /** Of the oldest message; `null` if there is none. */
  readonly since: string | null;
}

/** `null` if there is no such stream. @throws Error if the user may not ask */
export async function inspectAudit(jsm: JetStreamManager): Promise<AuditFacts | null> {
  try {
    const { state, config } = await jsm.streams.info(AUDIT_STREAM);
    const { messages, bytes } = state;
    const since = messages === 0 ? null : new Date(state.first_ts).toISOString();
    return { messages, bytes, maxBytes: config.max_bytes, since };
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound) {
      return null;
    }
    throw error;
  }
}
