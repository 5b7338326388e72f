/** Whether the claims that an agent believes to hold are still its own. */
import type { Believed, BelievedClaim } from "../mcp/claims-file.ts";
import { withCalls } from "../shared/client.ts";
import type { ConnectionOptions } from "../shared/connection-options.ts";
import { reportOf } from "../shared/errors.ts";
import { EXIT } from "../shared/exit-codes.ts";

export interface CheckedClaim extends BelievedClaim {
  readonly holds: boolean;
  /** The session that holds the task now. */
  readonly holder: string | null;
}

/** A client waits for its hook. */
const PATIENCE_MS = 1_000;

/** `null`: no coordinator answers, so nobody knows. */
export async function checkClaims(
  { claims, servers }: Believed,
  options: ConnectionOptions,
): Promise<readonly CheckedClaim[] | null> {
  const connection = servers === "" ? {} : { nats: servers };
  try {
    let checked: readonly CheckedClaim[] = [];
    await withCalls(
      { ...connection, timeout: PATIENCE_MS, json: true, ...options },
      async (open) => {
        checked = await Promise.all(
          claims.map(async (claim) => {
            const { task_id: id, ...holder } = claim;
            const { holds, holder: other } = await open.calls.call(
              "tasks.verify",
              id,
              () => holder,
            );
            return { ...claim, holds, holder: other };
          }),
        );
      },
    );
    return checked;
  } catch (error) {
    if (reportOf(error).exitCode === EXIT.noCoordinator) return null;
    throw error;
  }
}
