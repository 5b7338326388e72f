/** What a hook asks the coordinator of the claims that an agent believes to hold. */
import type { Calls } from "../../client/calls.ts";
import { within } from "../../client/waiting.ts";
import type { Believed, BelievedClaim } from "../mcp/claims-file.ts";
import { withCalls } from "../shared/client.ts";
import type { ConnectionOptions } from "../shared/connection-options.ts";
import { EXIT } from "../shared/exit-codes.ts";

export interface CheckedClaim extends BelievedClaim {
  readonly holds: boolean;
  /** The session that holds the task now. */
  readonly holder: string | null;
}

export interface Situation {
  readonly claims: readonly CheckedClaim[];
  readonly ready: number;
}

/** A client waits for its hook. */
const PATIENCE_MS = 1_000;
/** With a server that accepts the connection and says nothing, the connection alone would take longer. */
const LONGEST_MS = 2_000;

/** Whether the claims are still the agent's own. `null`: no coordinator answers, so nobody knows. */
export function checkClaims(
  believed: Believed,
  options: ConnectionOptions,
): Promise<readonly CheckedClaim[] | null> {
  return asking(believed, options, (calls) => verifyAll(calls, believed.claims));
}

/** The claims of the agent, and how many tasks are ready. `null`: no coordinator answers. */
export function askSituation(
  believed: Believed,
  options: ConnectionOptions,
): Promise<Situation | null> {
  return asking(believed, options, async (calls) => {
    const [claims, { ready }] = await Promise.all([
      verifyAll(calls, believed.claims),
      calls.call("tasks.stats", undefined, () => ({})),
    ]);
    return { claims, ready };
  });
}

/** Ends the claims, and returns their tasks to the pool. A claim that has ended already stays as it is. */
export async function giveBack(believed: Believed, options: ConnectionOptions): Promise<void> {
  await asking(believed, options, async (calls) => {
    await Promise.all(
      believed.claims.map(async ({ task_id: id, ...holder }) => {
        const cause = "the session of the agent has ended";
        const end = { ...holder, status: "available" as const, cause };
        try {
          await calls.call("tasks.release", id, () => end);
        } catch (error) {
          const { isTaskError } = await import("../shared/error-report.ts");
          if (!isTaskError(error) || error.code === "unavailable") throw error;
        }
      }),
    );
  });
}

function verifyAll(calls: Calls, claims: readonly BelievedClaim[]): Promise<CheckedClaim[]> {
  return Promise.all(
    claims.map(async (claim) => {
      const { task_id: id, ...holder } = claim;
      const { holds, holder: other } = await calls.call("tasks.verify", id, () => holder);
      return { ...claim, holds, holder: other };
    }),
  );
}

async function asking<T>(
  { servers }: Believed,
  options: ConnectionOptions,
  ask: (calls: Calls) => Promise<T>,
): Promise<T | null> {
  const connection = servers === "" ? {} : { nats: servers };
  let answer: T | null = null;
  const asked = withCalls(
    { ...connection, timeout: PATIENCE_MS, json: true, ...options },
    async ({ calls }) => {
      answer = await ask(calls);
    },
  );
  try {
    await within(LONGEST_MS, asked);
  } catch (error) {
    const { reportOf } = await import("../shared/error-report.ts");
    if (reportOf(error).exitCode !== EXIT.noCoordinator) throw error;
  }
  return answer;
}
