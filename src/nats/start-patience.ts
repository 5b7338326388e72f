/**
 * How long a worker that starts waits for NATS: for a server that can be reached, and for a cluster that
 * has elected its leaders. A cluster that starts, or has lost a leader, cannot be asked anything of
 * JetStream before that. Neither is a reason for a worker to give up at once: it would depend on
 * somebody who starts it again. What waiting does not help, such as a wrong password, fails at once.
 */
import { JetStreamApiError } from "@nats-io/jetstream";
import { errors, TimeoutError } from "@nats-io/nats-core";
import pRetry from "p-retry";
import { type Connection, connectNats, type ConnectOptions } from "./connection.ts";

export interface StartPatience {
  /** For a server that can be reached, in milliseconds; 0: one attempt. */
  readonly connectMs: number;
  /** Ends the wait. */
  readonly signal: AbortSignal;
  /** Is told of each attempt that failed and is repeated. */
  readonly waiting: (problem: string) => void;
}

/** An election takes up to ten seconds; a machine that starts everything at once takes longer. */
const ELECTION_MS = 30_000;
const ELECTION_PAUSE_MS = 250;
/** So that a list of servers is tried again soon, and an address is not asked for all the time. */
const CONNECT_PAUSE_MS = 1_000;

/** @throws ConnectionError */
export async function connectPatiently(
  options: ConnectOptions,
  patience: StartPatience,
): Promise<Connection> {
  const { connectMs, signal } = patience;
  const attempt = async (): Promise<Connection> => {
    const connection = await connectNats(options);
    if (!signal.aborted) return connection;
    // It came too late: nobody waits for it any longer.
    await connection.close();
    throw signal.reason;
  };
  if (connectMs === 0) return attempt();
  return repeat(attempt, isPassing, { ...patience, forMs: connectMs, pauseMs: CONNECT_PAUSE_MS });
}

/** Repeats what fails because there is no leader, or because the connection broke meanwhile. */
export function untilElected<T>(attempt: () => Promise<T>, patience: StartPatience): Promise<T> {
  const forMs = Math.max(ELECTION_MS, patience.connectMs);
  return repeat(attempt, mayEndWithElection, { ...patience, forMs, pauseMs: ELECTION_PAUSE_MS });
}

interface Repetition extends StartPatience {
  readonly forMs: number;
  readonly pauseMs: number;
}

async function repeat<T>(
  attempt: () => Promise<T>,
  mayPass: (error: unknown) => boolean,
  { forMs, pauseMs, signal, waiting }: Repetition,
): Promise<T> {
  const attempts = pRetry(attempt, {
    retries: Infinity,
    factor: 1,
    minTimeout: pauseMs,
    maxRetryTime: forMs,
    signal,
    shouldRetry: ({ error }) => mayPass(error),
    onFailedAttempt: ({ error }) => {
      if (!signal.aborted && mayPass(error)) waiting(error.message);
    },
  });
  return unlessAborted(attempts, signal);
}

/** What the promise gives; rejects with the signal's reason if the signal is aborted before. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    // The signal lives longer than the promise.
    const stopListening = (): void => {
      signal.removeEventListener("abort", abort);
    };
    void promise.then(resolve, reject).finally(stopListening);
  });
}

/** What a server that is being started, or the network to it, says. */
const PASSING_CODES: ReadonlySet<unknown> = new Set([
  ...["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"],
  // The name of a service appears when the service does.
  ...["ENOTFOUND", "EAI_AGAIN"],
]);

/** The client's words for a connection that ends before the server has said anything. */
const CLOSED_AT_ONCE = "error connecting";

/** Whether a server may be reached later. */
function isPassing(error: unknown): boolean {
  if (error instanceof TimeoutError) return true;
  if (!(error instanceof Error)) return false;
  if ("code" in error && PASSING_CODES.has(error.code)) return true;
  // What stands in for a server that is not there, such as a load balancer, closes the connection.
  if (error instanceof errors.ConnectionError && error.message.startsWith(CLOSED_AT_ONCE))
    return true;
  return isPassing(error.cause);
}

/** The server has no leader to pass the request on to. */
const UNAVAILABLE = 503;
/** Too few servers have joined the cluster so far. */
const NO_SUITABLE_PEERS = 10_005;
/** So says a server that has only begun to lead, also of a stream that was just made. */
const STREAM_NOT_FOUND = 10_059;
const PASSING_API_CODES: ReadonlySet<number> = new Set([NO_SUITABLE_PEERS, STREAM_NOT_FOUND]);

/** Whether it fails because there is no leader, or because the connection broke on the way. */
export function mayEndWithElection(error: unknown): boolean {
  if (error instanceof TimeoutError) return true;
  if (error instanceof JetStreamApiError) {
    return error.status === UNAVAILABLE || PASSING_API_CODES.has(error.code);
  }
  // The connection broke while the answer was on its way.
  if (error instanceof errors.RequestError && !error.isNoResponders()) return true;
  return error instanceof Error && error.cause !== undefined && mayEndWithElection(error.cause);
}
