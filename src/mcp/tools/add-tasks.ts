/** `add_tasks`: creates tasks, or says which of them exist. */
import { z } from "zod";
import type { ImportedTask } from "../../client/import-tasks.ts";
import type { View } from "../task-view.ts";
import { shortText } from "../task-view.ts";
import { type Answer, type Call, defineTool } from "../tool.ts";

const names = z.array(z.string());
/** The coordinator checks all fields. A model mostly needs only these. */
const newTask = z.looseObject({
  task_id: z.string(),
  title: z.string().optional(),
  description: z.string().optional(),
  priority: z.number().optional().describe("0 (urgent) to 4, default 2"),
  depends_on: names.optional(),
  tags: names.optional(),
});
const schema = z.strictObject({ tasks: z.array(newTask) });

export const addTasks = defineTool(schema, {
  name: "add_tasks",
  description:
    "Create tasks for any agent, all or none. Ids are like P0.1.2. A task is ready when all tasks in its " +
    "depends_on are complete. The same task again changes nothing; conflicting names those that exist with " +
    "other content. More fields: requires, payload, metadata, max_failures, not_before.",
  run: add,
});

const MAX_NAMED = 20;

async function add({ tasks }: z.infer<typeof schema>, { agent, signal }: Call): Promise<Answer> {
  const session = agent.sessionId();
  const coordinator = await agent.coordinator();
  const given = tasks as readonly ImportedTask[];
  const reply = await coordinator.tasks.importTasks(given, { session_id: session }, { signal });
  const { created, unchanged, conflicting, warnings } = reply;
  return {
    session,
    view: {
      created: created.length,
      unchanged: unchanged.length,
      conflicting: conflicting.slice(0, MAX_NAMED),
      ...(conflicting.length > MAX_NAMED ? { more_conflicting: conflicting.length } : {}),
      ...warningsOf(warnings),
    },
  };
}

function warningsOf(warnings: readonly string[]): View {
  if (warnings.length === 0) return {};
  return { warnings: warnings.slice(0, 3).map((text) => shortText(text, 200)) };
}
