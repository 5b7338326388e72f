/** The claim that a call names, or the reason why it is not held. */
import { hasCode } from "../client/task-error.ts";
import type { Agent } from "./agent.ts";
import type { HeldClaim } from "./held-claim.ts";
import { handleOf } from "./task-view.ts";
import { ToolError } from "./tool-error.ts";

const HANDLE = /^(.+)#(\d+)$/;
const STOP = "Stop working on it, publish nothing, and call next_task.";
const MOST_NAMED = 5;

/** @throws ToolError */
export async function requireClaim(agent: Agent, handle: string): Promise<HeldClaim> {
  const held = agent.held(handle);
  if (held !== undefined) return held;
  throw await whyNotHeld(agent, handle);
}

/** Without a handle: the only claim that the agent holds. @throws ToolError */
export async function claimOrOnly(agent: Agent, handle: string | undefined): Promise<HeldClaim> {
  if (handle !== undefined) return requireClaim(agent, handle);
  const [only, ...others] = agent.claims();
  if (only === undefined) {
    throw new ToolError("not_holder", "You hold no task.", "Call next_task to take one.");
  }
  if (others.length === 0) return only;
  throw new ToolError(
    "invalid_request",
    `You hold ${others.length + 1} tasks: ${named(agent)}.`,
    "Call the tool again with the claim that you mean.",
  );
}

async function whyNotHeld(agent: Agent, handle: string): Promise<ToolError> {
  const [, taskId, attempt] = HANDLE.exec(handle) ?? [];
  if (taskId === undefined || attempt === undefined) {
    const problem = `${JSON.stringify(handle)} is not a claim: it looks like P0.1.2#3, as next_task returned it`;
    const own = agent.claims().length === 0 ? "You hold no task." : `You hold ${named(agent)}.`;
    return new ToolError("invalid_request", problem, own);
  }
  const ending = agent.ended.of(handle);
  if (ending?.how === "lost") return new ToolError("lease_lost", ending.why, STOP);
  if (ending?.how === "finished") {
    const problem = `${handle} has already ended as ${ending.outcome}`;
    return new ToolError("not_holder", problem, "Call next_task to take another task.");
  }
  return await asOthersSeeIt(agent, taskId, Number(attempt));
}

async function asOthersSeeIt(agent: Agent, taskId: string, attempt: number): Promise<ToolError> {
  const handle = handleOf(taskId, attempt);
  const { tasks } = await agent.coordinator();
  try {
    const { task } = await tasks.get(taskId);
    const state =
      task.claimed_by === null
        ? `nobody holds ${taskId}, which is ${task.status}`
        : `${task.claimed_by} holds ${taskId} as ${handleOf(taskId, task.attempt)}`;
    return new ToolError("not_holder", `You do not hold ${handle}: ${state}.`, STOP);
  } catch (error) {
    if (!hasCode(error, "not_found", "invalid_request")) throw error;
    const problem = `You do not hold ${handle}: there is no task ${taskId}.`;
    return new ToolError("not_found", problem, "Use the claim that next_task returned.");
  }
}

function named(agent: Agent): string {
  const handles = agent.claims().map(({ handle }) => handle);
  const rest = handles.length - MOST_NAMED;
  return `${handles.slice(0, MOST_NAMED).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}
