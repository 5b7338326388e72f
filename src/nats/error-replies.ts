/** The replies of requests that fail, and the errors that the endpoints make themselves. */
import { CoordinatorError, toErrorReply } from "../protocol/errors.ts";

/** An upper bound for the headers of an error reply. */
const HEADER_BYTES = 256;
/** An error message that is too large for NATS is cut to this many characters. */
const SHORT_MESSAGE = 1_000;

/** The error reply; if it is too large, without its details or with a shorter message. */
export function errorPayload(error: CoordinatorError, maxPayload: number): Buffer {
  const limit = maxPayload - HEADER_BYTES;
  const reply = toErrorReply(error);
  const whole = Buffer.from(JSON.stringify(reply));
  if (whole.length <= limit) return whole;
  const withoutTask = Buffer.from(JSON.stringify({ ok: false, error: reply.error }));
  if (withoutTask.length <= limit) return withoutTask;
  const { code, message, retryable } = reply.error;
  const short = { code, message: message.slice(0, SHORT_MESSAGE), retryable };
  return Buffer.from(JSON.stringify({ ok: false, error: short }));
}

/** A reply that NATS does not carry. */
export function tooLargeReply(limit: number): CoordinatorError {
  return new CoordinatorError(
    "too_large",
    `the reply has more than the ${limit} bytes that NATS carries: ask for less; the record of a ` +
      "task is also in the bucket: nats kv get tasks <task_id>",
  );
}

/** Any other error is a defect. */
export function toCoordinatorError(error: unknown): CoordinatorError {
  if (error instanceof CoordinatorError) return error;
  return new CoordinatorError(
    "internal",
    "the coordinator has a defect and could not handle this request; its log says more",
    { cause: error },
  );
}
