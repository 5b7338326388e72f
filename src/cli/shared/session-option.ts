/** The option that says for which session a command acts. */
import type { Command } from "commander";
import { sessionFromEnvironment } from "../../config/client-settings.ts";
import { UsageError } from "./errors.ts";
import { parseSessionId } from "./parse-values.ts";

export interface SessionOption {
  readonly session?: string;
}

export function addSessionOption(command: Command): Command {
  return command.option(
    "-s, --session <id>",
    "your session (default: IF_COORDINATOR_SESSION)",
    parseSessionId,
  );
}

/** The session of the option or of the variable, if one of them names it. */
export function sessionOf({ session }: SessionOption): string | undefined {
  return session ?? sessionFromEnvironment();
}

/** @throws UsageError if neither the option nor the variable names a session */
export function requireSession(option: SessionOption): string {
  const session = sessionOf(option);
  if (session !== undefined) return session;
  throw new UsageError("no session: give --session <id>, or set IF_COORDINATOR_SESSION");
}
