/** Runs a hook and tells its client, with or without the command line, which takes time to load. */
import { endSoon, endWithClosedPipe } from "../shared/command-end.ts";
import type { ConnectionOptions } from "../shared/connection-options.ts";
import { EXIT } from "../shared/exit-codes.ts";
import type { EventName } from "./events.ts";
import { runHook } from "./run-hook.ts";

const LAST_OUTPUT_MS = 100;

/** Sets the exit code of the process. Never rejects. */
export async function carryOut(
  event: EventName,
  client: string,
  connection: ConnectionOptions,
): Promise<void> {
  try {
    const finding = await runHook(event, client, connection);
    if (finding === null) return;
    endWithClosedPipe();
    const { tellClient } = await import("./tell-client.ts");
    tellClient(finding);
  } catch (error) {
    endWithClosedPipe();
    const { reportError } = await import("../shared/report-error.ts");
    reportError(error, { isJson: false });
    // Nothing is refused because of a wrong setting. Git refuses with any code but 0, and other clients with 2.
    process.exitCode = event === "pre-push" ? EXIT.done : EXIT.failed;
  } finally {
    endSoon(LAST_OUTPUT_MS);
  }
}
