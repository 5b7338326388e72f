/** What the end of a command means for its task. */
import type { CommandExit } from "./command-process.ts";
import type { CommandResult } from "./task-result.ts";

/** Exit codes of the command with a meaning of their own. The names are those of sysexits.h. */
export const EX_DATAERR = 65;
export const EX_TEMPFAIL = 75;

/** What `run` tells the coordinator. */
export type Ending =
  | { readonly kind: "complete"; readonly result: unknown }
  | { readonly kind: "fail"; readonly error: CommandFailure; readonly retry: boolean }
  | { readonly kind: "give_back"; readonly cause: string; readonly delaySeconds: number };

/** The `error` of a task whose command has failed. */
export interface CommandFailure {
  readonly message: string;
  readonly exit_code?: number;
  readonly signal?: string;
  /** The end of its standard error. Left out if it wrote nothing there. */
  readonly stderr?: string;
}

export interface CommandEnd {
  readonly exit: CommandExit;
  /** Of a command that has ended with 0. */
  readonly result: CommandResult | null;
  /** The end of its standard error. */
  readonly stderr: string;
  /** `run` has asked the command to stop: it is being stopped itself, or the task was cancelled. */
  readonly stoppedBecause: string | null;
  /** How long a task waits that the command gives back. */
  readonly retryDelaySeconds: number;
}

export function endingOf(end: CommandEnd): Ending {
  const { exit, result, stoppedBecause, retryDelaySeconds } = end;
  if (exit.code === 0 && result !== null) {
    if (result.kind === "value") return { kind: "complete", result: result.value };
    // Another attempt would end in the same way.
    return { kind: "fail", error: failure(end, result.problem), retry: false };
  }
  const how = describeExit(exit);
  if (exit.code === EX_DATAERR) return { kind: "fail", error: failure(end, how), retry: false };
  if (stoppedBecause !== null) return { kind: "give_back", cause: stoppedBecause, delaySeconds: 0 };
  if (exit.code === EX_TEMPFAIL) {
    return { kind: "give_back", cause: how, delaySeconds: retryDelaySeconds };
  }
  return { kind: "fail", error: failure(end, how), retry: true };
}

export function describeExit({ code, signal }: CommandExit): string {
  return signal === null ? `exit code ${code ?? "unknown"}` : `ended by ${signal}`;
}

function failure({ exit: { code, signal }, stderr }: CommandEnd, message: string): CommandFailure {
  return {
    message,
    ...(code === null ? {} : { exit_code: code }),
    ...(signal === null ? {} : { signal }),
    ...(stderr === "" ? {} : { stderr }),
  };
}
