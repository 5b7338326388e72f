/** What a session that ends because it is idle leaves behind: tasks that nothing but a decision can free. */
import type { ClaimOptions, ClaimSourceContext } from "./claim-source.ts";

const MAX_DEAD_ENDS = 100;
const MAX_NAMED = 5;

/** The ids of the dead ends among the tasks that the options choose, at most 100. Logs them. Never rejects. */
export async function findDeadEnds(
  { session, prefix, tags }: ClaimOptions,
  { tasks: client, logger }: ClaimSourceContext,
): Promise<readonly string[]> {
  try {
    const { tasks } = await client.list({
      dead_end: true,
      limit: MAX_DEAD_ENDS,
      ...(tags === undefined ? {} : { tags: [...tags] }),
      ...(prefix === undefined ? {} : { prefix }),
    });
    const ids = tasks.map(({ task_id: id }) => id);
    if (ids.length === 0) return [];
    const count = ids.length < MAX_DEAD_ENDS ? String(ids.length) : `${MAX_DEAD_ENDS} or more`;
    logger.warn(
      `${session} ends with tasks left that wait for one that failed or was cancelled: ` +
        `${count}, such as ${ids.slice(0, MAX_NAMED).join(", ")}`,
    );
    return ids;
  } catch (error) {
    logger.debug(`dead ends were not looked for: ${String(error)}`);
    return [];
  }
}
