/** Ctrl-C for a command that has to tidy up before it ends. */
import { EXIT_OF_SIGNAL } from "./exit-codes.ts";
import { ExitError } from "./errors.ts";
import { printError } from "./output.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** npx passes on Ctrl-C, which the terminal has sent to its whole group already. */
const SAME_PRESS_MS = 300;

/**
 * The first SIGINT or SIGTERM aborts the signal, and its reason is the error with which the command then
 * ends. The second one ends the process at once, with what `unfinished` says on standard error.
 */
export async function interruptible<T>(
  work: (signal: AbortSignal) => Promise<T>,
  unfinished: () => string,
): Promise<T> {
  const controller = new AbortController();
  let lastAt = -Infinity;
  const interrupt = (name: keyof typeof EXIT_OF_SIGNAL): void => {
    const now = performance.now();
    if (now - lastAt < SAME_PRESS_MS) return;
    lastAt = now;
    if (controller.signal.aborted) {
      printError(unfinished(), "error");
      process.exit(EXIT_OF_SIGNAL[name]);
    }
    controller.abort(new ExitError(EXIT_OF_SIGNAL[name], "interrupted"));
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  try {
    return await work(controller.signal);
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}

/** The signal that was the reason, if the error is that of `interruptible`. */
export function signalOf(error: unknown): NodeJS.Signals | null {
  if (!(error instanceof ExitError)) return null;
  const { exitCode } = error;
  return SIGNALS.find((name) => EXIT_OF_SIGNAL[name] === exitCode) ?? null;
}
