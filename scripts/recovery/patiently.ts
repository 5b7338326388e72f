/** Asks a cluster again that elects its leaders: it says nothing meanwhile, or that it has none. */
import pRetry from "p-retry";

const PATIENCE_MS = 60_000;
const PAUSE_MS = 250;

/** @throws what it said last, after a minute */
export function patiently<T>(ask: () => Promise<T>): Promise<T> {
  return pRetry(ask, {
    retries: Infinity,
    maxRetryTime: PATIENCE_MS,
    minTimeout: PAUSE_MS,
    factor: 1,
  });
}
