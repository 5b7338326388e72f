/** The sink of facts that writes the log, with pino. The texts are in `log-lines.ts`. */
import { pino } from "pino";
import type { Observe } from "../service/ports.ts";
import { DebugLines } from "./debug-lines.ts";
import { LogConditions } from "./log-conditions.ts";
import { isRoutine, type LogLevel, type LogLine } from "./log-lines.ts";
import { prettyLine } from "./pretty-line.ts";

/** Receives the lines, each with its line end. */
export interface LogDestination {
  write(line: string): unknown;
}

export interface LoggerOptions {
  /** Facts below this level are not logged; `silent` logs nothing. */
  readonly level: LogLevel | "silent";
  /** `json`: one JSON object a line, by pino. `pretty`: lines for people. */
  readonly format: "json" | "pretty";
  /** Each line names it. */
  readonly workerId?: string;
  /** Default: stderr. stdout is for the results of the command. */
  readonly destination?: LogDestination;
}

/** The time between two looks for lines that are due, in milliseconds. */
const CHECK_MS = 1_000;

export function createLogger(options: LoggerOptions): Observe {
  // It is synchronous, so that the last lines before a crash are not lost in a buffer.
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
    for (const { level, message, fields } of lines) {
      if (logger.isLevelEnabled(level)) logger[level]({ ...fields, ...named }, message);
    }
  };
  const hasDebug = logger.isLevelEnabled("debug");
  const conditions = new LogConditions();
  const debugLines = new DebugLines();
  const mayWrite = (level: LogLevel, now: number): boolean =>
    level !== "debug" || (hasDebug && debugLines.allows(now));
  let timer: NodeJS.Timeout | null = null;
  const check = (): void => {
    write([...conditions.due(performance.now()), ...debugLines.due()]);
    if (conditions.isOpen || debugLines.isOpen || timer === null) return;
    clearInterval(timer);
    timer = null;
  };
  return (fact) => {
    const now = performance.now();
    const routine = isRoutine(fact);
    if (!routine || mayWrite("debug", now)) {
      const lines = conditions.note(fact, now);
      write(routine ? lines : lines.filter(({ level }) => mayWrite(level, now)));
    }
    if (conditions.isOpen || debugLines.isOpen) timer ??= setInterval(check, CHECK_MS).unref();
  };
}
