/** Timers for any length of time. A timer of Node that is set to more than 24.8 days fires at once. */

/** The longest time for a timer of Node, in milliseconds. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** Stops the timer. After the timer has fired or was stopped, it does nothing. */
export type StopTimer = () => void;

/** Calls back after `ms`; `Infinity`: never. As any timer, it keeps the process alive until then. */
export function startTimer(ms: number, callback: () => void): StopTimer {
  let timer: ReturnType<typeof setTimeout>;
  const wait = (leftMs: number): void => {
    timer = setTimeout(
      () => {
        if (leftMs > MAX_TIMER_MS) wait(leftMs - MAX_TIMER_MS);
        else callback();
      },
      Math.min(leftMs, MAX_TIMER_MS),
    );
  };
  wait(ms);
  return () => {
    clearTimeout(timer);
  };
}
