/** Runs a hook as the command line would, with the same end, but without loading it. */
import { endSoon, endWithClosedPipe } from "../shared/command-end.ts";
import type { EventName } from "./events.ts";
import { runHook } from "./run-hook.ts";

/** Sets the exit code of the process. Never rejects. */
export async function runAlone(event: EventName, client: string): Promise<void> {
  endWithClosedPipe();
  try {
    await runHook(event, client, {});
  } catch (error) {
    const { reportError } = await import("../shared/report-error.ts");
    process.exitCode = reportError(error, { isJson: false });
  } finally {
    endSoon();
  }
}
