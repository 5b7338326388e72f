/** `wait_for`: waits until named tasks are finished, or something changes. */
import { z } from "zod";
import type { Coordinator } from "../../client/coordinator.ts";
import type { TaskUpdate } from "../../client/task-update.ts";
import { pause } from "../../client/waiting.ts";
import { isFinished, type TaskStatus } from "../../task/task.ts";
import { type Change, TaskWait } from "../task-wait.ts";
import type { View } from "../task-view.ts";
import { type Answer, type Call, defineTool } from "../tool.ts";
import { DEFAULT_WAIT_SECONDS, NOTICED, waitSeconds, whileWaiting } from "../waiting.ts";

const MAX_IDS = 100;
const MAX_CHANGES = 20;
/** Changes that follow each other come in one reply. */
const BURST_MS = 100;

const schema = z.strictObject({
  task_ids: z.array(z.string()).max(MAX_IDS).optional(),
  prefix: z.string().optional(),
  since: z.int().min(0).optional().describe("the cursor of the last reply, to miss nothing"),
  wait_seconds: waitSeconds.optional().describe("default 45"),
});
type Arguments = z.infer<typeof schema>;

export const waitFor = defineTool(schema, {
  name: "wait_for",
  description:
    "Wait, which costs no tokens, until one of task_ids is complete, failed or cancelled, or, without " +
    "task_ids, until other agents change something. If the time is over before, a later reply has a notice.",
  isReadOnly: true,
  run: wait,
});

async function wait(args: Arguments, call: Call): Promise<Answer> {
  const { agent } = call;
  const { task_ids: ids = [], since, wait_seconds: wanted = DEFAULT_WAIT_SECONDS } = args;
  const session = agent.sessionId();
  const coordinator = await agent.coordinator();
  const { revision: last } = await coordinator.tasks.stats({ signal: call.signal });
  // A cursor can be of a bucket that was created again. Nothing would ever come after it.
  const start = Math.min(since ?? last, last);
  const own = new Set([session, ...agent.claims().map((held) => held.session)]);
  const filter = { prefix: prefixOf(args), wants: wantedBy(args, own) };
  agent.goOnWaiting(session, null);
  const changes = await TaskWait.start(coordinator, filter, start);
  let isLeft = false;
  try {
    const finished = await finishedOf(coordinator, ids, call.signal);
    const open = ids.filter((id) => !finished.some(({ task_id }) => task_id === id));
    // With a cursor, the model knows some of those that are finished.
    const isOver = finished.length > 0 && (since === undefined || open.length === 0);
    if (!isOver) {
      await whileWaiting(call, session, wanted, async ({ seconds, signal }) => {
        await arrival(changes, seconds * 1000, signal);
      });
    }
    const seen = changes.changes.slice(0, MAX_CHANGES);
    isLeft = ids.length > 0 && seen.length === 0 && open.length > 0;
    return { session, view: answer(isOver ? merged(finished, seen) : seen, changes, start) };
  } finally {
    if (isLeft) {
      changes.goOn(({ task_id: id, status }) => {
        agent.notices.add(session, `${id}, for which you waited, is ${status}.`);
      });
      agent.goOnWaiting(session, changes);
    } else changes.stop();
  }
}

/** A single task needs only its own updates. */
function prefixOf({ task_ids: [only, ...others] = [], prefix }: Arguments): string {
  return prefix ?? (only !== undefined && others.length === 0 ? only : "");
}

function wantedBy({ task_ids: ids = [] }: Arguments, own: ReadonlySet<string>) {
  const isNamed = new Set(ids);
  return ({ task_id: id, new_status: status, session_id: by }: TaskUpdate): boolean => {
    if (ids.length > 0) return isNamed.has(id) && isFinished(status as TaskStatus);
    return by === null || !own.has(by);
  };
}

/** Resolves after the first changes, or when the time is over, or a notice has come. */
async function arrival(changes: TaskWait, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await Promise.race([changes.first(), pause(ms, signal)]);
    if (changes.changes.length > 0) await pause(BURST_MS, signal);
  } catch (error) {
    if (error !== NOTICED) throw error;
  }
}

/** Those that are finished already. @throws TaskError `not_found` */
async function finishedOf(
  { tasks }: Coordinator,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Change[]> {
  const read = await Promise.all(ids.map((id) => tasks.get(id, { signal })));
  return read.flatMap(({ task, revision }) => {
    const { task_id, status, last_event: event, completed_by: by } = task;
    if (!isFinished(status)) return [];
    return { task_id, status, event: event?.type ?? "", ...(by === null ? {} : { by }), revision };
  });
}

function merged(finished: readonly Change[], seen: readonly Change[]): Change[] {
  const byId = new Map([...finished, ...seen].map((change) => [change.task_id, change]));
  return [...byId.values()];
}

function answer(shown: readonly Change[], { changes }: TaskWait, start: number): View {
  const last = changes.slice(0, MAX_CHANGES).at(-1);
  return {
    status: shown.length > 0 ? "changed" : "none",
    changes: shown.map(({ task_id, status, event, by }) => ({
      ...{ task_id, status, event },
      ...(by === undefined ? {} : { by }),
    })),
    ...(changes.length > MAX_CHANGES ? { more: true } : {}),
    cursor: last?.revision ?? start,
  };
}
