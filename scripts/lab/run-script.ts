/**
 * The course of every script: options, a temporary folder, the run, clean-up and the exit code.
 *
 * Exit code 0: all is well. 1: the run found a failure. 2: the run could not be carried out. 130: it was
 * interrupted. The folder stays behind after 1 and 2, because it has the logs.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config.ts";
import { resolveServerBinary } from "../../src/nats-server/server-binary.ts";
import { optionsOrExit, type Script } from "../options/command-line.ts";

export interface Program<T> {
  readonly script: Script;
  /** `null`: the options only ask for a list. */
  readonly parse: (args: readonly string[]) => T | null;
  /** The lines of that list. */
  readonly list?: () => readonly string[];
  /** The options that repeat a run, as a shell takes them. Default: the run is not repeated. */
  readonly format?: (options: T) => string;
  /** Resolves to whether all is well. */
  readonly run: (options: T, run: Run) => Promise<boolean>;
}

/** Carries out the script with the arguments of this process. */
export async function runScript<T>(program: Program<T>): Promise<void> {
  const { script, parse, list, format } = program;
  const options = optionsOrExit(script, parse);
  if (options === null) {
    console.log(list?.().join("\n"));
    return;
  }
  const repeatedBy = format === undefined ? null : `${script.name} -- ${format(options)}`;
  if (repeatedBy !== null) tell(repeatedBy);
  const run = new Run(script.name, repeatedBy);
  try {
    const isWell = await program.run(options, run);
    run.end(isWell);
    process.exitCode = isWell ? 0 : 1;
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error));
    run.end(run.signal.aborted);
    // A run that was interrupted still waits for the requests that were under way.
    process.exit(run.signal.aborted ? 130 : 2);
  }
}

export class Run {
  /** The command that repeats the run; `null` for a run that cannot be repeated. */
  readonly repeatedBy: string | null;
  /** Aborted when the script is told to stop, for example by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly #name: string;
  readonly #interrupted: Promise<never>;
  #folder: string | null = null;

  constructor(name: string, repeatedBy: string | null) {
    this.#name = name.split(" ").at(-1) ?? name;
    this.repeatedBy = repeatedBy;
    const stop = new AbortController();
    this.signal = stop.signal;
    this.#interrupted = new Promise((_, reject) => {
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
        // Every time: a second Ctrl-C must not end the process before the clean-up has ended.
        process.on(signal, () => {
          if (stop.signal.aborted) return;
          tell(`${signal}: stopping ...`);
          const error = new Error(`ended by ${signal}`);
          stop.abort(error);
          reject(error);
        });
      }
    });
    // The signal may come while nobody waits for it.
    this.#interrupted.catch(() => undefined);
  }

  /** For data and logs. The first use creates it. */
  get folder(): string {
    this.#folder ??= mkdtempSync(join(tmpdir(), `if-coordinator-${this.#name}-`));
    return this.#folder;
  }

  readonly tell = tell;

  /** The path of nats-server, which is installed if there is none. */
  async serverBinary(): Promise<string> {
    return await resolveServerBinary({ ...loadConfig().dev, notify: tell });
  }

  /** Resolves as `work` does, but rejects at once when the script is told to stop. */
  async untilInterrupted<T>(work: Promise<T>): Promise<T> {
    return await Promise.race([work, this.#interrupted]);
  }

  /** Removes the folder if nobody needs the logs, and otherwise says where they are. */
  end(isDone: boolean): void {
    if (this.#folder === null) return;
    if (isDone || readdirSync(this.#folder).length === 0) {
      rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 });
      return;
    }
    tell(`${this.#folder} has what the run left behind, such as logs`);
    if (this.repeatedBy !== null) tell(`repeat it with:\n  ${this.repeatedBy}`);
  }
}

/** On stderr: stdout is for the result. */
function tell(line: string): void {
  console.error(line);
}
