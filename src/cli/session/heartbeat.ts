/** `if-coordinator session heartbeat`: renews a session and its claims, and says what it has lost. */
import { type Command, InvalidArgumentError } from "commander";
import type { Reply } from "../../protocol/operations.ts";
import { withCalls } from "../shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "../shared/connection-options.ts";
import { addJsonOption, type OutputOptions, show } from "../shared/data.ts";
import { ExitError } from "../shared/errors.ts";
import { EXIT } from "../shared/exit-codes.ts";
import { addExamples } from "../shared/help.ts";
import type { SessionOption } from "../shared/session-option.ts";
import { formatHeartbeat } from "./format-session.ts";
import { addNamedSession, sessionNamed } from "./named-session.ts";

interface NamedClaim {
  readonly task_id: string;
  readonly attempt: number;
}

interface HeartbeatOptions extends ConnectionOptions, OutputOptions, SessionOption {
  readonly claim?: readonly NamedClaim[];
  readonly instance?: string;
}

export function define(command: Command): void {
  addNamedSession(command)
    .option(
      "--claim <task:attempt,...>",
      "claims to renew, such as P0.5.1:2; can be repeated (default: all of the session)",
      collectClaims,
    )
    .option("--instance <text>", "the process of the session");
  addConnectionOptions(addJsonOption(command)).action(heartbeat);
  addExamples(command, ["session heartbeat s1", "session heartbeat s1 --claim P0.5.1:2 || exit"]);
}

async function heartbeat(given: string | undefined, options: HeartbeatOptions): Promise<void> {
  const { claim, instance } = options;
  const id = sessionNamed(given, options);
  const body = {
    ...(claim === undefined ? {} : { claims: [...claim] }),
    ...(instance === undefined ? {} : { instance }),
  };
  await withCalls(options, async ({ calls }) => {
    const reply = await calls.call("sessions.heartbeat", id, () => body);
    await show(options, reply, () => formatHeartbeat(reply));
    const gone = goneFrom(reply);
    if (gone.length === 0) return;
    throw new ExitError(
      EXIT.claimLost,
      `${id} no longer holds ${gone.join(", ")}: stop working on ${gone.length === 1 ? "it" : "them"}`,
    );
  });
}

/** The tasks that the session held and no longer holds. A task whose holder is asked to stop is still held. */
function goneFrom({ claims, lost, cancelled }: Reply<"sessions.heartbeat">): string[] {
  const held = new Set(claims.map(({ task_id: id }) => id));
  return [...new Set([...lost, ...cancelled])].filter((id) => !held.has(id));
}

function collectClaims(text: string, before?: readonly NamedClaim[]): readonly NamedClaim[] {
  const claims = text.split(",").map((entry) => {
    const [, taskId, attempt] = /^\s*([^:\s]+):(\d+)\s*$/.exec(entry) ?? [];
    if (taskId === undefined) {
      throw new InvalidArgumentError("It must be a task and its attempt, such as P0.5.1:2.");
    }
    return { task_id: taskId, attempt: Number(attempt) };
  });
  return [...(before ?? []), ...claims];
}
