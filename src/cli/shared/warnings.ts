/** Where the warnings of the library go, such as that it asks again. */
import type { Logger } from "../../client/logger.ts";
import { printError } from "./output.ts";
import { printableLines } from "./terminal-text.ts";

/** To standard error. */
export const WARNINGS: Logger = { debug: () => undefined, warn: say, error: say };

/** The message can contain the words of others. */
function say(message: string): void {
  printError(`if-coordinator: ${printableLines(message)}`);
}
