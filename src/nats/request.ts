/** Requests over a connection of the NATS library. */
import {
  ClosedConnectionError,
  DrainingConnectionError,
  errors,
  type NatsConnection,
  TimeoutError,
} from "@nats-io/nats-core";
import { AbortableRequests } from "./abortable-requests.ts";
import { MAX_TIMER_MS } from "../timers.ts";
import { connectionIdOf } from "./connection.ts";
import { inboxRefusal, isInboxRefusal } from "./inbox.ts";
import {
  DEFAULT_MAX_PAYLOAD,
  noAnswerInTime,
  nobodyAnswers,
  refuseTooLarge,
  RequestFailedError,
  type RequestProblem,
  requestNotPermitted,
  type Requester,
} from "./requester.ts";

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
      refuseTooLarge(subject, text, maxPayload());
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
    return nobodyAnswers(subject, error);
  }
  if (cause instanceof TimeoutError) {
    return noAnswerInTime(subject, timeoutMs, error);
  }
  if (isInboxRefusal(connection, cause)) return failed("not_permitted", inboxRefusal(connection));
  if (cause instanceof errors.PermissionViolationError) {
    return requestNotPermitted(subject, error);
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
