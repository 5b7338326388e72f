/** `show_tasks`: one task, or how many there are of each status and some of them. */
import { z } from "zod";
import type { TaskClient } from "../../client/task-client.ts";
import { TASK_STATUSES, type TaskStatus } from "../../task/task.ts";
import { lineView, recordView, type View } from "../task-view.ts";
import { type Answer, type Call, defineTool } from "../tool.ts";

const MAX_LISTED = 100;
const DEFAULT_LISTED = 20;

const schema = z.strictObject({
  task_id: z.string().optional(),
  status: z.enum(TASK_STATUSES).optional(),
  prefix: z.string().optional(),
  limit: z.int().min(1).max(MAX_LISTED).optional().describe("default 20"),
});
type Arguments = z.infer<typeof schema>;

export const showTasks = defineTool(schema, {
  name: "show_tasks",
  description:
    "Look, without a claim: one task with its holder, progress and result, or counts and a short list. " +
    "To wait, use wait_for instead of calling this again.",
  isReadOnly: true,
  run: show,
});

async function show(args: Arguments, { agent, signal }: Call): Promise<Answer> {
  const { tasks } = await agent.coordinator();
  const session = agent.sessionId();
  const view =
    args.task_id === undefined
      ? await overview(tasks, args, signal)
      : recordView(await tasks.get(args.task_id, { signal }));
  return { session, view };
}

async function overview(
  tasks: TaskClient,
  { status, prefix = "", limit = DEFAULT_LISTED }: Arguments,
  signal: AbortSignal,
): Promise<View> {
  const wanted = { prefix, ...(status === undefined ? {} : { status }) };
  const [counted, page] = await Promise.all([
    prefix === "" ? allCounts(tasks, signal) : countsBelow(tasks, prefix, signal),
    tasks.list({ ...wanted, limit }, { signal }),
  ]);
  return { ...counted, tasks: page.tasks.map(lineView), more: page.next_cursor !== null };
}

async function allCounts(tasks: TaskClient, signal: AbortSignal): Promise<View> {
  const { tasks: counts, ready } = await tasks.stats({ signal });
  return { counts: { ready, ...nonZero(counts) } };
}

const PAGE = 1_000;
/** A prefix can have a million tasks, and a model needs no exact number then. */
const MAX_PAGES = 5;

async function countsBelow(tasks: TaskClient, prefix: string, signal: AbortSignal): Promise<View> {
  const counts = new Map<TaskStatus, number>();
  let cursor: string | undefined;
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const wanted = { prefix, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) };
    const page = await tasks.list(wanted, { signal });
    for (const { status } of page.tasks) counts.set(status, (counts.get(status) ?? 0) + 1);
    cursor = page.next_cursor ?? undefined;
    if (cursor === undefined) break;
  }
  const view = { counts: nonZero(Object.fromEntries(counts)) };
  if (cursor === undefined) return view;
  const counted = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return { ...view, counts_of: `the first ${counted} tasks only` };
}

function nonZero(counts: Readonly<Record<string, number>>): View {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}
