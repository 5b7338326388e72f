/** What hooks ask the coordinator about the claims that an agent believes to hold. */
import type { TaskClient } from "../../client/task-client.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import type { BelievedClaim } from "../mcp/claims-file.ts";
import { isTaskError } from "../shared/error-report.ts";
import { isObject } from "./hook-input.ts";

export interface CheckedClaim extends BelievedClaim {
  readonly holds: boolean;
  /** The session that holds the task now. */
  readonly holder: string | null;
}

/** Sends one request. */
export type Call = TaskClient["call"];

export interface Question {
  readonly kind: keyof typeof KINDS;
  readonly claims: readonly BelievedClaim[];
}

const KINDS = { verify, giveBack };

/** Whether a hook has sent this, perhaps of another version. */
export function isQuestion(value: unknown): value is Question {
  if (!isObject(value) || !Array.isArray(value.claims)) return false;
  return Object.hasOwn(KINDS, String(value.kind)) && value.claims.every(isClaim);
}

function isClaim(value: unknown): value is BelievedClaim {
  if (!isObject(value)) return false;
  const { task_id: id, attempt, session_id: session } = value;
  return typeof id === "string" && typeof attempt === "number" && typeof session === "string";
}

/** @throws TaskError */
export async function answerTo({ kind, claims }: Question, call: Call): Promise<CheckedClaim[]> {
  return await Promise.all(claims.map((claim) => KINDS[kind](claim, call)));
}

/** Whether the claim is still the agent's own. It is not if the task is gone, or the agent may not see it any more. */
async function verify(claim: BelievedClaim, call: Call): Promise<CheckedClaim> {
  const { task_id: id, ...holder } = claim;
  try {
    const { holds, holder: other } = await call("tasks.verify", id, holder);
    return { ...claim, holds, holder: other };
  } catch (error) {
    if (!isTaskError(error) || error.code !== "not_found") throw error;
    return { ...claim, holds: false, holder: null };
  }
}

/** Refusals of a release by a session that no longer holds the task. */
const HAS_ENDED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  ...(["lease_lost", "not_holder", "not_available", "session_replaced", "not_found"] as const),
]);

/** Ends the claim, and returns its task to the pool. A claim that has ended already stays as it is. */
async function giveBack(claim: BelievedClaim, call: Call): Promise<CheckedClaim> {
  const { task_id: id, ...holder } = claim;
  const cause = "the session of the agent has ended";
  try {
    await call("tasks.release", id, { ...holder, status: "available", cause });
  } catch (error) {
    if (!isTaskError(error) || !HAS_ENDED.has(error.code)) throw error;
  }
  return { ...claim, holds: false, holder: null };
}
