/**
 * A cluster that starts, or has lost a leader, cannot be asked anything of JetStream until it has elected
 * one. That is no reason for a worker to give up: it would depend on somebody who starts it again.
 */
import { JetStreamApiError } from "@nats-io/jetstream";
import { TimeoutError } from "@nats-io/nats-core";
import pRetry from "p-retry";

/** An election takes up to ten seconds; a machine that starts everything at once takes longer. */
const PATIENCE_MS = 30_000;
const PAUSE_MS = 250;

/** The server has no leader to pass the request on to. */
const UNAVAILABLE = 503;
/** Too few servers have joined the cluster so far. */
const NO_SUITABLE_PEERS = 10_005;

/** Repeats what fails because there is no leader; the first time, `warn` is told what it waits for. */
export function untilElected<T>(
  attempt: () => Promise<T>,
  warn: (message: string) => void,
): Promise<T> {
  return pRetry(attempt, {
    retries: Infinity,
    factor: 1,
    minTimeout: PAUSE_MS,
    maxRetryTime: PATIENCE_MS,
    shouldRetry: ({ error }) => mayEndWithElection(error),
    onFailedAttempt: ({ error, attemptNumber }) => {
      if (attemptNumber === 1 && mayEndWithElection(error)) {
        warn(`${error.message}; waiting up to ${PATIENCE_MS / 1000} s for that`);
      }
    },
  });
}

function mayEndWithElection(error: unknown): boolean {
  if (error instanceof TimeoutError) return true;
  if (error instanceof JetStreamApiError) {
    return error.status === UNAVAILABLE || error.code === NO_SUITABLE_PEERS;
  }
  return error instanceof Error && error.cause !== undefined && mayEndWithElection(error.cause);
}
