/** All tasks that fit a filter, page by page, so that 100,000 tasks take the memory of one page. */
import type { Calls } from "../../client/calls.ts";
import { hasCode } from "../../client/task-error.ts";
import type { RequestInput } from "../../protocol/operations.ts";
import type { TaskRecord } from "../../protocol/task-record.ts";

const PAGE_SIZE = 1_000;

export type TaskFilter = Omit<RequestInput<"tasks.list">, "limit" | "cursor">;

/**
 * In order of creation. A record that no reply can hold is left out, because only a record that was written
 * by hand can be so large.
 *
 * @param pageSize of the first page: a small one is answered sooner
 * @throws TaskError
 */
export async function* taskPages(
  calls: Pick<Calls, "call">,
  filter: TaskFilter,
  pageSize = PAGE_SIZE,
): AsyncGenerator<readonly TaskRecord[], void> {
  let cursor: string | undefined;
  let limit = Math.min(pageSize, PAGE_SIZE);
  do {
    const body = { ...filter, limit, ...(cursor === undefined ? {} : { cursor }) };
    try {
      const page = await calls.call("tasks.list", undefined, () => body);
      cursor = page.next_cursor ?? undefined;
      yield page.tasks;
    } catch (error) {
      if (!hasCode(error, "too_large") || typeof error.details.cursor !== "string") throw error;
      cursor = error.details.cursor;
    }
    limit = PAGE_SIZE;
  } while (cursor !== undefined);
}
