/**
 * Requests of a client: one message out, one reply in, or one of a closed set of reasons why there is none.
 * Nothing is retried here: the caller decides whether to ask again.
 */
import type { ConnectionFields } from "../protocol/fields.ts";

/** Why a request has no reply. */
export type RequestProblem =
  /** Nobody subscribes to the subject. NATS reports this at once. */
  | "no_responders"
  /** No reply came in time. The request may have been carried out. */
  | "timeout"
  /** The connection is broken at the moment. Nothing was sent. */
  | "disconnected"
  /** The connection was closed for good, by either side. The request may have been carried out. */
  | "closed"
  | "not_permitted"
  /** The message is larger than the server's `max_payload`. Nothing was sent. */
  | "too_large"
  | "failed";

export class RequestFailedError extends Error {
  override readonly name = "RequestFailedError";
  readonly problem: RequestProblem;

  constructor(problem: RequestProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.problem = problem;
  }
}

/** Sends requests over a connection that others open and close. */
export interface Requester {
  /** The largest body, in bytes, that the server accepts. */
  readonly maxPayload: number;
  /** The server's id and its number for the connection, if they are known. */
  readonly connectionId?: ConnectionFields | undefined;
  /**
   * Resolves with the text of the reply. When the signal is aborted, the promise rejects with the signal's
   * reason, and NATS tells the worker that answers that nobody listens.
   *
   * @throws RequestFailedError
   */
  request(subject: string, text: string, timeoutMs: number, signal?: AbortSignal): Promise<string>;
}

/** The default `max_payload` of a NATS server. */
export const DEFAULT_MAX_PAYLOAD = 1024 * 1024;

/** @throws RequestFailedError */
export function refuseTooLarge(subject: string, text: string, maxPayload: number): void {
  const size = Buffer.byteLength(text);
  if (size <= maxPayload) return;
  throw new RequestFailedError(
    "too_large",
    `the request to ${subject} has ${size} bytes and the NATS server takes ${maxPayload}`,
  );
}

/** Nobody subscribes to the subject. */
export function nobodyAnswers(subject: string, cause?: unknown): RequestFailedError {
  return new RequestFailedError("no_responders", `nobody answers requests to ${subject}`, {
    cause,
  });
}

export function noAnswerInTime(
  subject: string,
  timeoutMs: number,
  cause?: unknown,
): RequestFailedError {
  const message = `no answer from ${subject} within ${timeoutMs} ms`;
  return new RequestFailedError("timeout", message, { cause });
}

export function requestNotPermitted(subject: string, cause?: unknown): RequestFailedError {
  const message = `the NATS server does not permit requests to ${subject}`;
  return new RequestFailedError("not_permitted", message, { cause });
}
