/** `report_progress`: says what is going on, and asks whether the claim is still held. */
import { z } from "zod";
import { hasCode } from "../../client/task-error.ts";
import { claimOrOnly } from "../claim-argument.ts";
import { type Answer, type Call, defineTool } from "../tool.ts";

const schema = z.strictObject({
  claim: z.string().optional().describe("such as P0.1.2#3; default: the only one that you hold"),
  note: z.string().optional().describe("for people, one line"),
});

export const reportProgress = defineTool(schema, {
  name: "report_progress",
  description:
    "Say what you do, and learn whether you still hold the task. Call it before you push, publish or deploy, " +
    "and every 10 minutes. status held: go on. lost: another agent may have the task, so stop and publish " +
    "nothing. cancel: stop, then finish_task with give_back.",
  run: report,
});

async function report(
  { claim: handle, note }: z.infer<typeof schema>,
  { agent, signal }: Call,
): Promise<Answer> {
  const held = await claimOrOnly(agent, handle).catch((error: unknown) => {
    if (hasEnded(error)) return null;
    throw error;
  });
  if (held === null) return { session: agent.sessionId(), view: { status: "lost", claim: handle } };
  const { session, claim } = held;
  const { tasks } = await agent.coordinator();
  const progress = held.progress("report_progress", note);
  const holder = { session_id: session, instance: agent.instance, attempt: claim.attempt };
  const view = { claim: held.handle };
  try {
    await held.untilReported();
    const renewal = { ...holder, progress, release_on_disconnect: true };
    const reply = await tasks.renew(claim.task.task_id, renewal, { signal });
    return { session, view: { status: reply.cancel_requested ? "cancel" : "held", ...view } };
  } catch (error) {
    if (!hasCode(error, "lease_lost", "not_holder", "session_replaced", "not_found")) throw error;
    claim.lose(error.message);
    return { session, view: { status: "lost", ...view } };
  }
}

/** For a claim that was lost, the status is the answer, and no error. */
function hasEnded(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "lease_lost";
}
