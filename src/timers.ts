/** Timers for any length of time: those of the system end at once when they are to run for more than 24.8 days. */

/** The longest time that a timer of the system takes, in milliseconds. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** What `startTimer` returns ends the timer; afterwards that does nothing. */
export type StopTimer = () => void;

/** Calls back after `ms`; `Infinity`: never. Like any timer, it keeps the process alive until then. */
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
