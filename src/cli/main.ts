#!/usr/bin/env node
/** The command line: which commands there are, and what becomes of an error. */
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

/** For the last words to be written. */
const EXIT_DELAY_MS = 1_000;

const program = new Command("if-coordinator")
  .description("Task coordination for swarms of AI agents, native to NATS")
  .version(VERSION)
  .showSuggestionAfterError()
  .showHelpAfterError("(--help shows the options; with npm start, put -- before them)")
  // Commands copy this when they are added: it has to come first.
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
  "\nEvery setting is also an environment variable (IF_COORDINATOR_...) and a line of the YAML file\n" +
    "that --config names. Start with: if-coordinator dev",
);

// Before the settings are read: they may be wrong.
if (asksForJson(process.argv.slice(2))) useJson();
try {
  await program.parseAsync();
} catch (error) {
  const { text, exitCode } = reportOf(error);
  if (error instanceof ConfigError && error.logFormat === "json") useJson();
  if (text !== undefined) printError(text, "error");
  process.exitCode = exitCode;
} finally {
  // Something half open, such as a connection that was never answered, must not keep a command alive
  // that has ended.
  setTimeout(() => process.exit(), EXIT_DELAY_MS).unref();
}
