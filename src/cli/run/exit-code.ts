/** The exit code of `run`. docs/cli.md lists what each means. */
import { EXIT, type ExitCode } from "../shared/exit-codes.ts";
import type { Interrupt } from "./interrupts.ts";
import type { Outcome } from "./run-report.ts";
import type { RunSummary } from "./runner.ts";

export interface RunMode {
  readonly once?: boolean;
  readonly untilEmpty?: boolean;
  /** The signal that has stopped it. */
  readonly interrupt: Interrupt | null;
}

export function exitCodeOf(summary: RunSummary, mode: RunMode): ExitCode {
  if (mode.interrupt !== null) return exitCodeOfInterrupt(mode.interrupt);
  const { counts, failedForGood, deadEnds, idle } = summary;
  const isLeft = mode.untilEmpty === true || counts.size === 0;
  if (idle === "waited" && isLeft) return EXIT.nothingToDo;
  if (mode.once === true) {
    const [outcome] = counts.keys();
    return outcome === undefined ? EXIT.nothingToDo : EXIT_OF_OUTCOME[outcome];
  }
  return failedForGood > 0 || deadEnds.length > 0 ? EXIT.failed : EXIT.done;
}

export function exitCodeOfInterrupt(interrupt: Interrupt): ExitCode {
  return interrupt === "SIGINT" ? EXIT.interrupted : EXIT.terminated;
}

const EXIT_OF_OUTCOME: Readonly<Record<Outcome, ExitCode>> = {
  completed: EXIT.done,
  failed: EXIT.failed,
  given_back: EXIT.failed,
  cancelled: EXIT.claimLost,
  lost: EXIT.claimLost,
};
