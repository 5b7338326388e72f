/** The sink of facts that writes the log, through pino. `log-lines.ts` words what it writes. */
import { pino } from "pino";
import type { Observe } from "../service/ports.ts";
import { LogConditions } from "./log-conditions.ts";
import type { LogLevel, LogLine } from "./log-lines.ts";
import { prettyLine } from "./pretty-line.ts";

/** Where the lines go, each with its line end. */
export interface LogDestination {
  write(line: string): unknown;
}

export interface LoggerOptions {
  /** Facts below this level are not logged; `silent` logs nothing. */
  readonly level: LogLevel | "silent";
  /** `json`: pino's newline-delimited JSON. `pretty`: one line for people. */
  readonly format: "json" | "pretty";
  /** Is named in each line. */
  readonly workerId?: string;
  /** Default: standard error, so that standard output is left to what a command prints. */
  readonly destination?: LogDestination;
}

/** How often it is looked at whether there is something to say of what lasts. */
const CHECK_MS = 1_000;

export function createLogger(options: LoggerOptions): Observe {
  // Synchronous, so that the last lines before a crash are not lost in a buffer.
  const output = options.destination ?? pino.destination({ dest: 2, sync: true });
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    options.format === "json"
      ? { write: (text) => void output.write(text) }
      : { write: (text) => void output.write(prettyLine(text)) },
  );
  const named = options.workerId === undefined ? {} : { worker_id: options.workerId };
  const write = (lines: readonly LogLine[]): void => {
    for (const { level, message, fields } of lines) logger[level]({ ...fields, ...named }, message);
  };
  const conditions = new LogConditions();
  let timer: NodeJS.Timeout | null = null;
  const check = (): void => {
    write(conditions.due(performance.now()));
    if (conditions.isOpen || timer === null) return;
    clearInterval(timer);
    timer = null;
  };
  return (fact) => {
    write(conditions.note(fact, performance.now()));
    if (conditions.isOpen) timer ??= setInterval(check, CHECK_MS).unref();
  };
}
