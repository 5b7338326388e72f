/** `next_task`: claims the most urgent ready task, or one by its id, and waits for it. */
import { z } from "zod";
import type { Coordinator } from "../../client/coordinator.ts";
import { hasCode } from "../../client/task-error.ts";
import { pause } from "../../client/waiting.ts";
import { isFinished, type TaskStatus } from "../../task/task.ts";
import type { AgentSession } from "../agent-session.ts";
import { HeldClaim } from "../held-claim.ts";
import { type View, workView } from "../task-view.ts";
import { TaskWait } from "../task-wait.ts";
import { type Answer, type Call, defineTool } from "../tool.ts";
import { DEFAULT_WAIT_SECONDS, NOTICED, type Wait, waitSeconds, whileWaiting } from "../waiting.ts";

const schema = z.strictObject({
  task_id: z.string().optional().describe("only this task"),
  prefix: z.string().optional().describe("only ids that begin with this"),
  tags: z.array(z.string()).optional().describe("only tasks with all of these"),
  wait_seconds: waitSeconds.optional().describe("default 45"),
  as: z.string().optional().describe("if you are a subagent: a short name of your own"),
});

export const nextTask = defineTool(schema, {
  name: "next_task",
  description:
    "Claim a task, so that no other agent takes it: the most urgent one that is ready, or task_id. Waits for one, " +
    "which costs no tokens. status claimed: do the task, then call finish_task with the claim; meanwhile its " +
    "lease is renewed for you. status none: reasons says why. If call_again is true, call next_task again; " +
    "otherwise no task is left for you.",
  run: takeNext,
});

/** What came of the wait. */
type Outcome = HeldClaim | View;

/** When a task becomes due, there is no change that says so. */
const POLL_MS = 5_000;

async function takeNext(args: z.infer<typeof schema>, call: Call): Promise<Answer> {
  const { agent, signal } = call;
  const { task_id: taskId, prefix, tags, as, wait_seconds: seconds = DEFAULT_WAIT_SECONDS } = args;
  const session = await agent.session(as);
  const wanted = {
    ...(prefix === undefined ? {} : { prefix }),
    ...(tags === undefined ? {} : { tags }),
  };
  const outcome = await whileWaiting(call, session.id, seconds, async (wait) => {
    try {
      return taskId === undefined
        ? await anyTask(session, wanted, wait)
        : await oneTask(session, taskId, wait, await agent.coordinator());
    } catch (error) {
      if (error !== NOTICED) throw error;
      return { status: "none", reasons: {}, next_due_at: null, call_again: true };
    }
  });
  if (!(outcome instanceof HeldClaim)) return { session: session.id, view: outcome };
  await outcome.claim.untilWatched();
  if (signal.aborted) {
    session.keep(outcome);
    signal.throwIfAborted();
  }
  tellOthers(agent.claims(session.id), outcome, session.id, call);
  agent.handOut(outcome, call.id);
  const { handle, claim } = outcome;
  return {
    session: session.id,
    view: { status: "claimed", claim: handle, task: workView(claim.task) },
  };
}

async function anyTask(
  session: AgentSession,
  wanted: { readonly prefix?: string; readonly tags?: string[] },
  { seconds, signal }: Wait,
): Promise<Outcome> {
  const found = await session.next(wanted, seconds * 1000, signal);
  if (found instanceof HeldClaim) return found;
  const { reasons, next_due_at } = found;
  const isLeft = Object.values(reasons).some((count) => count > 0);
  return { status: "none", reasons, next_due_at, call_again: isLeft };
}

/** Claims the task as soon as it is free. */
async function oneTask(
  session: AgentSession,
  taskId: string,
  { seconds, signal }: Wait,
  coordinator: Coordinator,
): Promise<Outcome> {
  const until = performance.now() + seconds * 1000;
  const first = await claimOr(session, taskId, signal);
  if (first instanceof HeldClaim || first.call_again === false || seconds === 0) return first;
  const { revision } = await coordinator.tasks.stats({ signal });
  const filter = { prefix: taskId, wants: isFreed(taskId) };
  const changes = await TaskWait.start(coordinator, filter, revision);
  try {
    for (;;) {
      changes.clear();
      const outcome = await claimOr(session, taskId, signal);
      if (outcome instanceof HeldClaim || outcome.call_again === false) return outcome;
      const leftMs = until - performance.now();
      if (leftMs <= 0) return outcome;
      await Promise.race([changes.first(), pause(Math.min(leftMs, POLL_MS), signal)]);
    }
  } finally {
    changes.stop();
  }
}

function isFreed(taskId: string) {
  return ({ task_id, new_status }: { task_id: string; new_status: string }): boolean =>
    task_id === taskId && new_status !== "claimed" && new_status !== "blocked";
}

/** The claim, or why the task cannot be claimed now. @throws TaskError for a refusal that waiting cannot change */
async function claimOr(
  session: AgentSession,
  taskId: string,
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    return await session.claim(taskId, signal);
  } catch (error) {
    if (!hasCode(error, "already_claimed", "not_available")) throw error;
    const { reason, claimed_by: holder } = error.details;
    const why = typeof reason === "string" ? reason : "claimed";
    return {
      status: "none",
      reasons: { [why]: 1 },
      ...(typeof holder === "string" ? { claimed_by: holder } : {}),
      next_due_at: null,
      call_again: !isFinished(why as TaskStatus),
    };
  }
}

/** A model that takes a task while it holds others may have forgotten those. */
function tellOthers(
  held: readonly HeldClaim[],
  taken: HeldClaim,
  session: string,
  { agent }: Call,
): void {
  const others = held.filter((one) => one !== taken).map(({ handle }) => handle);
  if (others.length === 0) return;
  const named = others.slice(0, 3).join(", ");
  const rest = others.length > 3 ? ` and ${others.length - 3} more` : "";
  agent.notices.add(session, `You hold ${named}${rest}, too: finish each of them.`);
}
