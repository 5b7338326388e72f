/**
 * Requests of a client: one message out, one reply in, or one of a closed set of reasons why there is none.
 * Nothing is retried here: the caller decides whether to ask again.
 */
import {
  ClosedConnectionError,
  DrainingConnectionError,
  errors,
  type NatsConnection,
  TimeoutError,
} from "@nats-io/nats-core";
import type { ConnectionFields } from "../protocol/fields.ts";
import { AbortableRequests } from "./abortable-requests.ts";
import { MAX_TIMER_MS } from "../timers.ts";
import { connectionIdOf } from "./connection.ts";
import { inboxRefusal, isInboxRefusal } from "./inbox.ts";

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
const DEFAULT_MAX_PAYLOAD = 1024 * 1024;

export function createRequester(connection: NatsConnection): Requester {
  const maxPayload = (): number => connection.info?.max_payload ?? DEFAULT_MAX_PAYLOAD;
  const abortable = new AbortableRequests(connection);
  return {
    get maxPayload() {
      return maxPayload();
    },
    get connectionId() {
      const id = connectionIdOf(connection);
      return id === null ? undefined : { server_id: id.serverId, client_id: id.clientId };
    },
    async request(subject, text, timeoutMs, signal) {
      const size = Buffer.byteLength(text);
      if (size > maxPayload()) {
        throw new RequestFailedError(
          "too_large",
          `the request to ${subject} has ${size} bytes and the NATS server takes ${maxPayload()}`,
        );
      }
      try {
        const reply = await (signal === undefined
          ? abortable.untilBroken(
              subject,
              connection.request(subject, text, {
                timeout: Math.min(timeoutMs, MAX_TIMER_MS),
              }),
            )
          : abortable.request(subject, text, timeoutMs, signal));
        return reply.string();
      } catch (error) {
        if (signal?.aborted === true) throw signal.reason;
        throw toRequestFailedError(error, subject, timeoutMs, connection);
      }
    },
  };
}

function toRequestFailedError(
  error: unknown,
  subject: string,
  timeoutMs: number,
  connection: NatsConnection,
): RequestFailedError {
  const cause = error instanceof errors.RequestError ? (error.cause ?? error) : error;
  const failed = (problem: RequestProblem, message: string): RequestFailedError =>
    new RequestFailedError(problem, message, { cause: error });
  if (cause instanceof errors.NoRespondersError) {
    return failed("no_responders", `nobody answers requests to ${subject}`);
  }
  if (cause instanceof TimeoutError) {
    return failed("timeout", `no answer from ${subject} within ${timeoutMs} ms`);
  }
  if (isInboxRefusal(connection, cause)) return failed("not_permitted", inboxRefusal(connection));
  if (cause instanceof errors.PermissionViolationError) {
    return failed("not_permitted", `the NATS server does not permit requests to ${subject}`);
  }
  if (
    connection.isClosed() ||
    cause instanceof ClosedConnectionError ||
    cause instanceof DrainingConnectionError
  ) {
    return failed("closed", `the connection was closed before ${subject} answered`);
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return failed("failed", `the request to ${subject} failed: ${reason}`);
}
