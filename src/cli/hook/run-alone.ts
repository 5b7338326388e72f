/** Runs a hook as the command line would, with the same end, but without loading it. */
import { endSoon, endWithClosedPipe } from "../shared/command-end.ts";
import type { EventName } from "./events.ts";
import { runHook } from "./run-hook.ts";

/** Sets the exit code of the process. Never rejects. */
export async function runAlone(event: EventName, client: string): Promise<void> {
  try {
    const finding = await runHook(event, client, {});
    if (finding === null) return;
    endWithClosedPipe();
    const { tellClient } = await import("./tell-client.ts");
    tellClient(finding);
  } catch (error) {
    endWithClosedPipe();
    const { reportError } = await import("../shared/report-error.ts");
    process.exitCode = reportError(error, { isJson: false });
  } finally {
    endSoon();
  }
}
