/** Waits that can be ended before their time. */
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

/** Resolves when the promise does, or the time is over. */
export async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  let stopTimer: StopTimer | undefined;
  const timeout = new Promise<void>((resolve) => {
    stopTimer = startTimer(ms, resolve);
  });
  await Promise.race([promise, timeout]);
  stopTimer?.();
}
