/** What an error means for the user of the command line: a text and the exit code. */
import { CommanderError } from "commander";
import { StartupError } from "../app.ts";
import { TaskError } from "../client/task-error.ts";
import { ConfigError } from "../config.ts";
import { ConnectionError } from "../nats/connection.ts";
import { FolderInUseError, NatsServerError, ServerBinaryError } from "../nats-server/dev-server.ts";
import { SimulationOptionError } from "../simulation/options.ts";

export interface Report {
  /** `undefined`: commander has already written everything. */
  readonly text: string | undefined;
  /** 0: success, 1: something did not work, 2: the command or a setting is wrong. */
  readonly exitCode: 0 | 1 | 2;
}

/** The command or a setting is wrong. */
const USAGE_ERRORS = [ConfigError, SimulationOptionError];
/** Errors whose message says what to do. Any other error is a defect and is shown with its stack. */
const EXPECTED_ERRORS = [
  StartupError,
  ConnectionError,
  FolderInUseError,
  NatsServerError,
  ServerBinaryError,
  TaskError,
];

export function reportOf(error: unknown): Report {
  if (error instanceof CommanderError) {
    // Help and version end as an "error" with code 0.
    return { text: undefined, exitCode: error.exitCode === 0 ? 0 : 2 };
  }
  if (!(error instanceof Error)) return { text: `if-coordinator: ${String(error)}`, exitCode: 1 };
  const usage = USAGE_ERRORS.some((known) => error instanceof known);
  if (usage || EXPECTED_ERRORS.some((known) => error instanceof known)) {
    return { text: `if-coordinator: ${error.message}`, exitCode: usage ? 2 : 1 };
  }
  return { text: `if-coordinator: unexpected error\n${error.stack ?? error.message}`, exitCode: 1 };
}
