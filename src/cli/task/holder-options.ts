/** Options that say which claim is meant: its session, its attempt and its instance. */
import type { Command } from "commander";
import { attemptFromEnvironment } from "../../config/client-settings.ts";
import { UsageError } from "../shared/errors.ts";
import { type Given, givenFields } from "../shared/given-fields.ts";
import { parseCount, parseText } from "../shared/parse-values.ts";
import { addSessionOption, requireSession, type SessionOption } from "../shared/session-option.ts";

export interface InstanceOption extends SessionOption {
  readonly instance?: string;
}

export interface HolderOptions extends InstanceOption {
  readonly attempt?: number;
}

export function addInstanceOption(command: Command): Command {
  return command.option("--instance <text>", "which process of the session asks", parseText);
}

export function addHolderOptions(command: Command): Command {
  return addInstanceOption(
    addSessionOption(command).option(
      "--attempt <n>",
      "attempt of the claim (default: TASK_ATTEMPT, if TASK_ID is this task; otherwise the current claim)",
      parseCount,
    ),
  );
}

export type Holder = { session_id: string } & Given<{
  attempt: number | undefined;
  instance: string | undefined;
}>;

/**
 * The fields of a request that identify the claim of each task.
 *
 * @throws UsageError if there is no session, or one attempt for several tasks
 */
export function holderOf(options: HolderOptions, ids: readonly string[]): (id: string) => Holder {
  const session_id = requireSession(options);
  const { attempt, instance } = options;
  if (attempt !== undefined && ids.length > 1) {
    throw new UsageError("--attempt belongs to one claim: name one task with it");
  }
  return (id) => ({
    session_id,
    ...givenFields({ attempt: attempt ?? attemptFromEnvironment(id), instance }),
  });
}
