/** Streams that may be missing. */
import {
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  type StreamInfo,
} from "@nats-io/jetstream";

/** `null`: there is no such stream. @throws Error if JetStream does not answer, or the user may not ask */
export async function findStream(jsm: JetStreamManager, name: string): Promise<StreamInfo | null> {
  try {
    return await jsm.streams.info(name);
  } catch (error) {
    if (isStreamMissing(error)) return null;
    throw error;
  }
}

export function isStreamMissing(error: unknown): error is JetStreamApiError {
  return error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;
}
