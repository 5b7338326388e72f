/** `if-coordinator session register`: registers a session and what it can do. */
import type { Command } from "commander";
import { withCalls } from "../shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "../shared/connection-options.ts";
import { addJsonOption, type OutputOptions, show } from "../shared/data.ts";
import { addExamples } from "../shared/help.ts";
import type { SessionOption } from "../shared/session-option.ts";
import { metadataOf } from "../shared/metadata-value.ts";
import { collectList, collectTexts, parseSeconds } from "../shared/parse-values.ts";
import { formatRegistration } from "./format-session.ts";
import { addNamedSession, sessionNamed } from "./named-session.ts";

interface RegisterOptions extends ConnectionOptions, OutputOptions, SessionOption {
  readonly capability?: readonly string[];
  readonly ttl?: number;
  readonly metadata?: readonly string[];
  readonly instance?: string;
}

export function define(command: Command): void {
  addNamedSession(command)
    .option("--capability <name,...>", "what the session can do; can be repeated", collectList)
    .option("--ttl <duration>", "how long it stays without a heartbeat (default: 5m)", parseSeconds)
    .option(
      "--metadata <name=text>",
      "what others see in the list of sessions; can be repeated, or JSON, @file or -",
      collectTexts,
    )
    .option("--instance <text>", "the process of the session; it replaces an earlier one");
  addConnectionOptions(addJsonOption(command)).action(register);
  addExamples(command, [
    "session register s1 --capability python,review --ttl 10m",
    "session register s1 --metadata host=build-1",
  ]);
}

async function register(given: string | undefined, options: RegisterOptions): Promise<void> {
  const { capability, ttl, metadata, instance } = options;
  const id = sessionNamed(given, options);
  const body = {
    ...(capability === undefined ? {} : { capabilities: [...capability] }),
    ...(ttl === undefined ? {} : { ttl_seconds: ttl }),
    ...(metadata === undefined ? {} : { metadata: await metadataOf(metadata) }),
    ...(instance === undefined ? {} : { instance }),
  };
  await withCalls(options, async ({ calls }) => {
    const reply = await calls.call("sessions.register", id, () => body);
    await show(options, reply, () => formatRegistration(reply.session));
  });
}
