/** What the library has to say beside its results. */

/** Takes lines for people; `console` is one, and so is a pino logger. */
export interface Logger {
  /** Every request, for those who look for something. */
  debug(message: string): void;
  /** What was not as it should be, and was got over. */
  warn(message: string): void;
  /** What needs somebody. */
  error(message: string): void;
}

/** Warnings and errors on the console, the rest nowhere. */
export const DEFAULT_LOGGER: Logger = {
  debug: () => undefined,
  warn: (message) => {
    console.warn(message);
  },
  error: (message) => {
    console.error(message);
  },
};

/** More of a message or a stack than this tells nothing new. */
const MAX_LENGTH = 2_000;

/** What was thrown, for a line of the log: with the stack, which shows where to look. */
export function describeError(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
}
