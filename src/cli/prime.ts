/** `if-coordinator prime`: tells an agent how to take part, for the hook that starts its session. */
import type { Command } from "commander";
import { clientSettings, sessionFromEnvironment } from "../config/client-settings.ts";
import { nameInCredentials } from "../nats/credentials-name.ts";
import { commonOptions, withoutLogin } from "./prime/common-options.ts";
import { primeText, type Situation } from "./prime/prime-text.ts";
import { withCalls } from "./shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "./shared/connection-options.ts";
import { addJsonOption, type OutputOptions, show } from "./shared/data.ts";
import { reportOf } from "./shared/error-report.ts";
import { EXIT } from "./shared/exit-codes.ts";
import { addExamples } from "./shared/help.ts";
import { parseDuration } from "./shared/parse-values.ts";
import { addSessionOption, type SessionOption } from "./shared/session-option.ts";
import { printable } from "./shared/terminal-text.ts";

/** A hook must not delay the start of a session for long. */
const PATIENCE_MS = 2_000;
/** Held tasks that the JSON document names. */
const MAX_HELD = 20;

type PrimeOptions = ConnectionOptions & OutputOptions & SessionOption;

export function define(command: Command): void {
  addSessionOption(command).option(
    "--timeout <duration>",
    "how long to wait for the coordinator (default: 2s)",
    parseDuration,
  );
  addConnectionOptions(addJsonOption(command)).action(prime);
  addExamples(command, ["prime --session agent-1", 'prime --session "$HOSTNAME-$$"  # in a hook']);
}

async function prime(options: PrimeOptions): Promise<void> {
  const { session = sessionFromEnvironment() ?? newSession(options) } = options;
  const situation = await situationOf(session, options);
  const text = primeText({ session, options: commonOptions(session, options), situation });
  await show(options, { session_id: session, ...situation, text }, () => text);
}

/**
 * An agent without a session of its own gets one. It is free, because no session has to be registered. With
 * credentials, it begins with their name.
 */
function newSession(options: PrimeOptions): string {
  const session = `agent-${crypto.randomUUID().slice(0, 8)}`;
  const { credsFile } = clientSettings(options);
  const owner = credsFile === undefined ? null : nameInCredentials(credsFile);
  return owner === null ? session : `${owner}.${session}`;
}

async function situationOf(session: string, options: PrimeOptions): Promise<Situation> {
  let situation: Situation = { problem: "" };
  try {
    await withCalls({ timeout: PATIENCE_MS, ...options }, async ({ calls }) => {
      const wanted = { claimed_by: session, limit: MAX_HELD };
      const [{ tasks, next_cursor: more }, { ready }] = await Promise.all([
        calls.call("tasks.list", undefined, () => wanted),
        calls.call("tasks.stats", undefined, () => ({})),
      ]);
      const held = tasks.map(({ task_id, cancel_requested }) => ({
        task_id,
        cancel_requested: cancel_requested === true,
      }));
      situation = { held, has_more: more !== null, ready };
    });
  } catch (error) {
    // An agent that starts before its coordinator must know how to take part, too.
    const { exitCode } = reportOf(error);
    if (!(error instanceof Error) || exitCode !== EXIT.noCoordinator) throw error;
    situation = { problem: withoutLogin(printable(error.message)) };
  }
  return situation;
}
