/** Options that say how to reach the coordinator, for every command that asks it something. */
import type { Command } from "commander";
import type { ConnectionFlags } from "../../config/client-settings.ts";
import { parseDuration } from "./parse-values.ts";

/** The options as commander gives them. */
export interface ConnectionOptions extends ConnectionFlags {
  /** Milliseconds. */
  readonly timeout?: number;
}

/** Adds the options. Call it after the command's own options, so that help shows those first. */
export function addConnectionOptions(command: Command): Command {
  return command
    .optionsGroup("Connection:")
    .option("--nats <url,...>", "NATS servers (default: NATS_URL, or nats://localhost:4222)")
    .option("--context <name>", "context of the nats command line (default: NATS_CONTEXT)")
    .option("--creds <file>", "NATS credentials file")
    .option("--nkey <file>", "file with an NKey seed")
    .option("--user <name>", "NATS user")
    .option(
      "--password <text>",
      "password of that user; others may see it in the list of processes",
    )
    .option("--tlsca <file>", "CA certificate (PEM) to verify the server with")
    .option("--tlscert <file>", "client certificate (PEM)")
    .option("--tlskey <file>", "key of the client certificate (PEM)")
    .option("--inbox-prefix <prefix>", "prefix of the subjects on which replies are received")
    .option(
      "--timeout <duration>",
      "how long to wait for an answer, such as 10s (default: 15s, but 3s if no worker runs)",
      parseDuration,
    );
}
