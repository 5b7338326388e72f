/** The operations that change nothing, as typed methods, and the call that all methods make. */
import type { Operation, Reply, RequestInput } from "../protocol/operations.ts";
import type { CallOptions } from "./call-options.ts";
import type { Calls, CallsOptions, Link } from "./calls.ts";
import { CheckedCalls } from "./checked-calls.ts";

/** The operations that change nothing. `TaskClient` adds those that do. */
export class TaskQueries {
  /** @internal */
  protected readonly calls: Calls;

  /** @internal */
  constructor(link: Link, options: CallsOptions = {}) {
    this.calls = new CheckedCalls(link, options);
  }

  /**
   * Any operation by its name.
   *
   * @param id of the task or session, for operations whose subject ends in an id
   * @throws TaskError
   * @example const { total } = await coordinator.tasks.call("tasks.stats", undefined, {});
   */
  call<O extends Operation>(
    operation: O,
    id: string | undefined,
    input: RequestInput<O>,
    options?: CallOptions,
  ): Promise<Reply<O>> {
    return this.calls.call(operation, id, () => input, options);
  }

  /**
   * Whether the claim with this fencing token, attempt or session holds the task at this moment. If
   * several of them are given, all must fit.
   * @example const { holds } = await coordinator.tasks.verify("P0.5.1", { fencing_token: 4711 });
   */
  verify(
    taskId: string,
    input: RequestInput<"tasks.verify">,
    options?: CallOptions,
  ): Promise<Reply<"tasks.verify">> {
    return this.call("tasks.verify", taskId, input, options);
  }

  /**
   * The task as the bucket has it. Rejects with `not_found`.
   * @example const { task, lease } = await coordinator.tasks.get("P0.5.1");
   */
  get(taskId: string, options?: CallOptions): Promise<Reply<"tasks.get">> {
    return this.call("tasks.get", taskId, {}, options);
  }

  /**
   * A page of tasks, oldest first: up to `limit` (default 100), and no more than a reply can carry.
   * `next_cursor` leads to the next page. A page is empty only if it is the last one.
   * @example const { tasks, next_cursor } = await coordinator.tasks.list({ status: ["claimed"] });
   */
  async list(
    input: RequestInput<"tasks.list"> = {},
    options?: CallOptions,
  ): Promise<Reply<"tasks.list">> {
    let page = await this.call("tasks.list", undefined, input, options);
    // A worker ends a page after many tasks that do not fit the filter.
    while (page.tasks.length === 0 && page.next_cursor !== null) {
      const cursor = page.next_cursor;
      page = await this.call("tasks.list", undefined, { ...input, cursor }, options);
    }
    return page;
  }

  /**
   * All records of the task that the bucket still has, oldest first. Sends as many requests as that takes.
   * @example const { entries } = await coordinator.tasks.history("P0.5.1");
   */
  async history(taskId: string, options?: CallOptions): Promise<Reply<"tasks.history">> {
    const all = await this.call("tasks.history", taskId, {}, options);
    while (all.has_more) {
      const since = all.entries.at(-1)?.revision ?? 0;
      const page = await this.call("tasks.history", taskId, { since }, options);
      all.entries.push(...page.entries);
      all.has_more = page.has_more;
    }
    return all;
  }

  /**
   * The changes after the revision `since` (default 0), in order. With `has_more`, ask for the next page.
   * @example const { changes, has_more } = await coordinator.tasks.changes({ since: 4711 });
   */
  changes(
    input: RequestInput<"tasks.changes"> = {},
    options?: CallOptions,
  ): Promise<Reply<"tasks.changes">> {
    return this.call("tasks.changes", undefined, input, options);
  }

  /**
   * Counts of tasks, leases and sessions.
   * @example const { ready, sessions } = await coordinator.tasks.stats();
   */
  stats(options?: CallOptions): Promise<Reply<"tasks.stats">> {
    return this.call("tasks.stats", undefined, {}, options);
  }

  /**
   * A page of the registered sessions, in the order of their ids.
   * @example const { sessions } = await coordinator.tasks.listSessions({ limit: 1000 });
   */
  listSessions(
    input: RequestInput<"sessions.list"> = {},
    options?: CallOptions,
  ): Promise<Reply<"sessions.list">> {
    return this.call("sessions.list", undefined, input, options);
  }
}
