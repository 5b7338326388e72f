/** Which errors an outage brings along: they are no defects, and a stack would say nothing. */

/** Of `CoordinatorError`. */
const CODES: ReadonlySet<unknown> = new Set(["unavailable", "bucket_unusable", "overloaded"]);

/** Of the NATS client. */
const NAMES: ReadonlySet<string> = new Set([
  ...["TimeoutError", "NoResponders", "RequestError", "ConnectionError"],
  ...["ClosedConnectionError", "DrainingConnectionError", "JetStreamApiError"],
  ...["JetStreamStatusError", "StreamNotFoundError", "ConsumerNotFoundError"],
]);

export function isWantOfNats(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  if (NAMES.has(cause.name)) return true;
  return "code" in cause && CODES.has(cause.code);
}
