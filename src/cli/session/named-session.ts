/** The session that a command is about: its argument, `--session` as in other commands, or that of this shell. */
import type { Command } from "commander";
import { UsageError } from "../shared/errors.ts";
import { parseSessionId } from "../shared/parse-values.ts";
import { addSessionOption, requireSession, type SessionOption } from "../shared/session-option.ts";

export function addNamedSession(command: Command): Command {
  return addSessionOption(command.argument("[id]", "id of the session", parseSessionId));
}

/** @throws UsageError if nothing names a session, or the argument and the option name different ones */
export function sessionNamed(given: string | undefined, option: SessionOption): string {
  if (given === undefined) return requireSession(option);
  if (option.session === undefined || option.session === given) return given;
  throw new UsageError(`two sessions: ${given} and --session ${option.session}: give one of them`);
}
