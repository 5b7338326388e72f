/** Where the library writes its log. */

/** Receives log lines for people. `console` and a pino logger are such loggers. */
export interface Logger {
  /** Every request, for debugging. */
  debug(message: string): void;
  /** A problem that the library has overcome, or is trying to. */
  warn(message: string): void;
  /** A problem that needs a person. */
  error(message: string): void;
}

/** Writes warnings and errors to the console, and drops the rest. */
export const DEFAULT_LOGGER: Logger = {
  debug: () => undefined,
  warn: (message) => {
    console.warn(message);
  },
  error: (message) => {
    console.error(message);
  },
};

/** Characters. The rest of a longer message or stack says nothing new. */
const MAX_LENGTH = 2_000;

/** What was thrown, for a log line: with the stack, if there is one. */
export function describeError(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
}
