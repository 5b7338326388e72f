/** Options that say how to reach the coordinator, for every command that asks it something. */
import { type Command, Option } from "commander";
import type { ConnectionFlags } from "../../config/client-settings.ts";
import { parseDuration, parseText } from "./parse-values.ts";

/** The options as commander gives them. */
export interface ConnectionOptions extends ConnectionFlags {
  /** Milliseconds. */
  readonly timeout?: number;
}

/**
 * Adds the options. Call it after the command's own options, so that help shows those first. If the command
 * has a --timeout of its own, that one counts for the whole command.
 */
export function addConnectionOptions(command: Command): Command {
  const hasTimeout = command.options.some(({ long }) => long === "--timeout");
  command
    .optionsGroup("Connection:")
    .option(
      "--nats <url,...>",
      "NATS servers (default: NATS_URL, or nats://localhost:4222)",
      parseText,
    )
    .option(
      "--context <name>",
      "context of the nats command line (default: NATS_CONTEXT)",
      parseText,
    )
    .addOption(
      new Option("--creds <file>", "NATS credentials file")
        .argParser(parseText)
        .conflicts(["nkey", "user", "password"]),
    )
    .addOption(
      new Option("--nkey <file>", "file with an NKey seed")
        .argParser(parseText)
        .conflicts(["user", "password"]),
    )
    .option("--user <name>", "NATS user", parseText)
    .option(
      "--password <text>",
      "password of that user; others may see it in the list of processes",
    )
    .option("--tlsca <file>", "CA certificate (PEM) to verify the server with", parseText)
    .option("--tlscert <file>", "client certificate (PEM)", parseText)
    .option("--tlskey <file>", "key of the client certificate (PEM)", parseText)
    .option(
      "--inbox-prefix <prefix>",
      "prefix of the subjects on which replies are received",
      parseText,
    );
  if (hasTimeout) return command;
  return command.option(
    "--timeout <duration>",
    "how long to wait for an answer, such as 10s (default: 15s, but 3s if no worker runs)",
    parseDuration,
  );
}
