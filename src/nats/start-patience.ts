/**
 * How long a worker that starts waits for NATS: first for a server that it can reach, then for a cluster
 * that has elected its leaders. Before that, a cluster answers no JetStream request.
 *
 * A worker that gave up at once would depend on somebody to start it again. Errors that do not pass, such
 * as a wrong password, end the start at once.
 */
import { JetStreamApiError } from "@nats-io/jetstream";
import { errors, TimeoutError } from "@nats-io/nats-core";
import pRetry from "p-retry";
import { type Connection, connectNats, type ConnectOptions } from "./connection.ts";

export interface StartPatience {
  /** How long to wait for a server, in milliseconds. 0: one attempt. */
  readonly connectMs: number;
  /** Ends the wait. */
  readonly signal: AbortSignal;
  /** Called for each attempt that failed and will be repeated. */
  readonly waiting: (problem: string) => void;
}

/** An election takes up to 10 s, and longer on a machine that starts everything at once. */
const ELECTION_MS = 30_000;
const ELECTION_PAUSE_MS = 250;
/** Short enough to find a server soon, long enough not to flood an address with attempts. */
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
    // Nobody waits for this connection any longer.
    await connection.close();
    throw signal.reason;
  };
  if (connectMs === 0) return attempt();
  return repeat(attempt, isPassing, { ...patience, forMs: connectMs, pauseMs: CONNECT_PAUSE_MS });
}

/** Repeats an attempt that fails because there is no leader, or because the connection broke. */
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

/** Like the promise, but rejects with the signal's reason if the signal is aborted first. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    // The signal outlives the promise.
    const stopListening = (): void => {
      signal.removeEventListener("abort", abort);
    };
    void promise.then(resolve, reject).finally(stopListening);
  });
}

/** Error codes while a server, or the network to it, is starting. */
const PASSING_CODES: ReadonlySet<unknown> = new Set([
  ...["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH"],
  // Many environments publish the name of a service only when the service runs.
  ...["ENOTFOUND", "EAI_AGAIN"],
]);

/** The library's message if a connection ends before the server has sent anything. */
const CLOSED_AT_ONCE = "error connecting";

/** Whether a later attempt may reach a server. */
function isPassing(error: unknown): boolean {
  if (error instanceof TimeoutError) return true;
  if (!(error instanceof Error)) return false;
  if ("code" in error && PASSING_CODES.has(error.code)) return true;
  // A load balancer without a server behind it accepts the connection and closes it.
  if (error instanceof errors.ConnectionError && error.message.startsWith(CLOSED_AT_ONCE))
    return true;
  return isPassing(error.cause);
}

/** The server knows no leader that could handle the request. */
const UNAVAILABLE = 503;
/** Not enough servers have joined the cluster yet. */
const NO_SUITABLE_PEERS = 10_005;
/** A server that has just become leader says so, even of a stream that was just created. */
const STREAM_NOT_FOUND = 10_059;
const PASSING_API_CODES: ReadonlySet<number> = new Set([NO_SUITABLE_PEERS, STREAM_NOT_FOUND]);

/** Whether the cause is a missing leader, or a connection that broke during the request. */
export function mayEndWithElection(error: unknown): boolean {
  if (error instanceof TimeoutError) return true;
  if (error instanceof JetStreamApiError) {
    return error.status === UNAVAILABLE || PASSING_API_CODES.has(error.code);
  }
  // The connection broke before the answer came.
  if (error instanceof errors.RequestError && !error.isNoResponders()) return true;
  return error instanceof Error && error.cause !== undefined && mayEndWithElection(error.cause);
}
