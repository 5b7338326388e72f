/** Whether a board can be shown, without the modules that draw it. */
import { isDumbTerminal } from "../../config/terminal.ts";

/** Whether standard output is a terminal that can be drawn on again in place. */
export function canDrawBoard(): boolean {
  return process.stdout.isTTY && !isDumbTerminal();
}
