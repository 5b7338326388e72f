/** Runs a hook as the command line would, with the same end, but without loading it. */
import { endSoon, endWithClosedPipe } from "../shared/command-end.ts";
import { EXIT } from "../shared/exit-codes.ts";
import type { EventName } from "./events.ts";
import { runHook } from "./run-hook.ts";

const LAST_OUTPUT_MS = 100;

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
    reportError(error, { isJson: false });
    // Another code could mean to a client that the agent must not go on.
    process.exitCode = EXIT.failed;
  } finally {
    endSoon(LAST_OUTPUT_MS);
  }
}
