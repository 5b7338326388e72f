/** What a session that ends because it is idle leaves behind: tasks that only a decision can free. */
import { type ClaimOptions, wantedTasks } from "./claim-options.ts";
import type { Logger } from "./logger.ts";
import type { TaskClient } from "./task-client.ts";

const MAX_DEAD_ENDS = 100;
const MAX_NAMED = 5;

/**
 * The ids of the dead ends among the tasks that the options choose, at most 100. Logs a warning that
 * names some of them. Never rejects.
 */
export async function findDeadEnds(
  sessionId: string,
  options: ClaimOptions,
  client: TaskClient,
  logger: Logger,
): Promise<readonly string[]> {
  try {
    const wanted = { ...wantedTasks(options), dead_end: true, limit: MAX_DEAD_ENDS };
    const { tasks } = await client.list(wanted);
    const ids = tasks.map(({ task_id: id }) => id);
    if (ids.length === 0) return [];
    const count = ids.length < MAX_DEAD_ENDS ? String(ids.length) : `${MAX_DEAD_ENDS} or more`;
    logger.warn(
      `the session ${sessionId} ends and leaves tasks that wait for a failed or cancelled task: ` +
        `${count}, such as ${ids.slice(0, MAX_NAMED).join(", ")}`,
    );
    return ids;
  } catch (error) {
    logger.debug(`could not look for dead ends: ${String(error)}`);
    return [];
  }
}
