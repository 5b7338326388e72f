/** `if-coordinator task verify`: whether a claim still holds its task. */
import type { Command } from "commander";
import { attemptFromEnvironment } from "../../config/client-settings.ts";
import { withCalls } from "../shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "../shared/connection-options.ts";
import { addJsonOption, type OutputOptions, show } from "../shared/data.ts";
import { UsageError } from "../shared/errors.ts";
import { EXIT } from "../shared/exit-codes.ts";
import { givenFields } from "../shared/given-fields.ts";
import { addExamples } from "../shared/help.ts";
import { parseCount, parseTaskId } from "../shared/parse-values.ts";
import { addSessionOption, sessionOf, type SessionOption } from "../shared/session-option.ts";
import { formatVerified } from "./format-change.ts";

interface VerifyOptions extends ConnectionOptions, OutputOptions, SessionOption {
  readonly attempt?: number;
  readonly fencingToken?: number;
}

export function define(command: Command): void {
  addSessionOption(command.argument("<id>", "id of the task", parseTaskId))
    .option("--attempt <n>", "whether this attempt is the current one", parseCount)
    .option("--fencing-token <n>", "whether this token belongs to the current claim", parseCount);
  addConnectionOptions(addJsonOption(command)).action(verify);
  addExamples(command, [
    "task verify P0.5.1 --fencing-token 4711 && ./publish.sh",
    "task verify P0.5.1 --session s1 --attempt 2",
  ]);
}

async function verify(id: string, options: VerifyOptions): Promise<void> {
  const claim = claimOf(id, options);
  await withCalls(options, async ({ calls }) => {
    const reply = await calls.call("tasks.verify", id, () => claim);
    await show(options, reply, () => formatVerified(reply, id));
    if (!reply.holds) process.exitCode = EXIT.claimLost;
  });
}

/** Only what the options name. Without any, it is the claim of the environment. */
function claimOf(id: string, { session, attempt, fencingToken }: VerifyOptions) {
  const named = givenFields({ session_id: session, attempt, fencing_token: fencingToken });
  if (Object.keys(named).length > 0) return named;
  const own = givenFields({ session_id: sessionOf({}), attempt: attemptFromEnvironment(id) });
  if (Object.keys(own).length > 0) return own;
  throw new UsageError("no claim: give --fencing-token, --attempt or --session");
}
