/** Waits that can end early. */
import { startTimer, type StopTimer } from "../timers.ts";

/** @throws the signal's reason */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const abort = (): void => {
      stopTimer();
      reject(signal.reason as Error);
    };
    const stopTimer = startTimer(ms, () => {
      signal.removeEventListener("abort", abort);
      resolve();
    });
    signal.addEventListener("abort", abort, { once: true });
  });
}

/** Resolves when the promise does, or the time is over; rejects if the promise does. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T | typeof TIMED_OUT> {
  let stopTimer: StopTimer | undefined;
  const timeout = new Promise<typeof TIMED_OUT>((resolve) => {
    stopTimer = startTimer(ms, () => {
      resolve(TIMED_OUT);
    });
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    stopTimer?.();
  }
}

export const TIMED_OUT = Symbol("timed out");
