#!/usr/bin/env node
/** The command line: its commands, and what happens after an error. */
import { Command } from "commander";
import { ConfigError } from "../config.ts";
import { VERSION } from "../version.ts";
import { registerDev } from "./dev.ts";
import { reportOf } from "./errors.ts";
import { registerHealth } from "./health.ts";
import { printError, useJson } from "./output.ts";
import { registerServe } from "./serve.ts";
import { asksForJson } from "./setting-options.ts";
import { registerSimulate } from "./simulate.ts";

/** Time to write the last output. */
const EXIT_DELAY_MS = 1_000;

const program = new Command("if-coordinator")
  .description("Task coordination for swarms of AI agents, native to NATS")
  .version(VERSION)
  .showSuggestionAfterError()
  .showHelpAfterError("(--help shows the options; with npm start, put -- before them)")
  // Commands copy these options when they are added, so this comes first.
  .exitOverride()
  .configureOutput({
    writeErr: (text) => {
      printError(text.trimEnd(), "error");
    },
  });
registerDev(program);
registerServe(program);
registerSimulate(program);
registerHealth(program);
program.addHelpText(
  "after",
  "\nEvery setting can also be an environment variable (IF_COORDINATOR_...) or be set in the YAML file\n" +
    "that --config names. Start with: if-coordinator dev",
);

// Before the settings are read, because they may be wrong.
if (asksForJson(process.argv.slice(2))) useJson();
try {
  await program.parseAsync();
} catch (error) {
  const { text, exitCode } = reportOf(error);
  if (error instanceof ConfigError && error.logFormat === "json") useJson();
  if (text !== undefined) printError(text, "error");
  process.exitCode = exitCode;
} finally {
  // Something half open, such as a connection that was never answered, must not keep the process alive.
  setTimeout(() => process.exit(), EXIT_DELAY_MS).unref();
}
