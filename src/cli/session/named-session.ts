/** The session that a command is about: its argument, or the session of this shell. */
import { requireSession } from "../shared/session-option.ts";

/** @throws UsageError if neither the argument nor the variable names a session */
export function sessionNamed(given: string | undefined): string {
  return requireSession(given === undefined ? {} : { session: given });
}
