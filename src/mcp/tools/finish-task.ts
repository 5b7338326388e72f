/** `finish_task`: ends a claim, and says what can be done now. */
import { z } from "zod";
import type { Coordinator } from "../../client/coordinator.ts";
import { hasCode } from "../../client/task-error.ts";
import { pause } from "../../client/waiting.ts";
import type { TaskRecord } from "../../protocol/task-record.ts";
import { requireClaim } from "../claim-argument.ts";
import type { HeldClaim } from "../held-claim.ts";
import { shortText, type View } from "../task-view.ts";
import { ToolError } from "../tool-error.ts";
import { type Answer, type Call, defineTool } from "../tool.ts";

const OUTCOMES = ["done", "failed", "give_back"] as const;

const schema = z.strictObject({
  claim: z.string().describe("such as P0.1.2#3"),
  outcome: z.enum(OUTCOMES),
  // Any value, but some clients refuse an argument without a type.
  result: z.unknown().optional().meta({
    type: "string",
    description: "short: what you did, or why it failed; paths, not content",
  }),
  delay_seconds: z.number().min(0).optional().describe("with give_back: nobody gets it before"),
});
type Arguments = z.infer<typeof schema>;

export const finishTask = defineTool(schema, {
  name: "finish_task",
  description:
    "End your claim. done: the work is complete. failed: this attempt failed; the task is tried again later, a " +
    "few times. give_back: another agent or a later time fits better, or you were told to stop; no failure. " +
    "The reply lists the tasks that are ready now because of it (unblocked).",
  run: finish,
});

const MAX_CAUSE = 1_000;

async function finish(args: Arguments, { agent, signal }: Call): Promise<Answer> {
  const { claim: handle, outcome } = args;
  const ending = agent.ended.of(handle);
  if (ending?.how === "finished" && ending.outcome === outcome) {
    // The client did not get the first answer.
    return { session: agent.sessionId(), view: ending.reply };
  }
  if (args.delay_seconds !== undefined && outcome !== "give_back") {
    const problem = `delay_seconds goes with give_back, not with ${outcome}`;
    throw new ToolError("invalid_request", problem, "Call the tool again without it.");
  }
  const held = await requireClaim(agent, handle);
  try {
    await end(held, args);
  } catch (error) {
    if (!hasCode(error, "too_large", "invalid_request")) throw error;
    throw new ToolError(
      error.code,
      error.message,
      `You still hold ${handle}. Call finish_task again with a shorter result: put the content into a file, and name it.`,
    );
  }
  agent.finished(held, outcome, { status: STATUS[outcome], unblocked: [] });
  const view = await stateOf(await agent.coordinator(), held.claim.task.task_id, signal);
  agent.finished(held, outcome, view);
  return { session: held.session, view };
}

/** What becomes of most tasks. A cancelled task that is given back, for example, becomes something else. */
const STATUS = { done: "complete", failed: "available", give_back: "available" } as const;

async function end({ claim, handle }: HeldClaim, args: Arguments): Promise<void> {
  const { outcome, result, delay_seconds: delaySeconds } = args;
  if (claim.isOver) {
    throw new ToolError(
      "lease_lost",
      `${handle} is over`,
      "Stop working on it, and call next_task.",
    );
  }
  if (outcome === "done") {
    await claim.complete(result);
    return;
  }
  if (outcome === "failed") {
    await claim.fail(result ?? "no reason was given");
    return;
  }
  const cause = causeOf(result);
  await claim.release({
    ...(delaySeconds === undefined ? {} : { delaySeconds }),
    ...(cause === "" ? {} : { cause }),
  });
}

function causeOf(result: unknown): string {
  if (result === undefined || result === null) return "";
  return shortText(typeof result === "string" ? result : JSON.stringify(result), MAX_CAUSE);
}

/** The worker that completes a task frees its dependents at once, but after its answer. */
const PAUSES_MS = [25, 100];
const MAX_UNBLOCKED = 10;

async function stateOf({ tasks }: Coordinator, taskId: string, signal: AbortSignal): Promise<View> {
  const { task, revision } = await tasks.get(taskId, { signal });
  if (task.status !== "complete") return { status: task.status, unblocked: [] };
  let freed: readonly string[] = [];
  for (const ms of PAUSES_MS) {
    await pause(ms, signal);
    const { changes } = await tasks.changes({ since: revision }, { signal });
    freed = changes.flatMap(({ task: after }) => (isFreedBy(taskId, after) ? after.task_id : []));
    if (freed.length > 0) break;
  }
  const more = freed.length - MAX_UNBLOCKED;
  return {
    status: task.status,
    unblocked: freed.slice(0, MAX_UNBLOCKED),
    ...(more > 0 ? { more_unblocked: more } : {}),
  };
}

function isFreedBy(taskId: string, task: TaskRecord | null): task is TaskRecord {
  return task?.last_event?.type === "task_unblocked" && task.depends_on.includes(taskId);
}
