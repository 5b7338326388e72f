/** What the coordinator's lists say about a group of tasks. Each list shows one moment. */
import type { CallOptions } from "../../client/call-options.ts";
import type { TaskQueries } from "../../client/task-queries.ts";
import { TaskError } from "../../client/task-error.ts";
import type { TaskStatus } from "../../task/task.ts";
import type { Outcome, WaitedTask, WaitResult, WaitRules } from "./named-tasks.ts";

const PAGE_SIZE = 1_000;
/** Tasks that the answer names. */
const MAX_NAMED = 100;
/** For the answer, after the wait has ended. */
const LAST_LIST_MS = 3_000;

/** The outcome, or the ids of tasks that must change before there can be one. */
export interface Look {
  readonly outcome: Outcome | null;
  readonly open: readonly string[];
}

export class ListedGroup {
  readonly #tasks: TaskQueries;
  readonly #prefix: string;
  readonly #rules: WaitRules;

  constructor(tasks: TaskQueries, prefix: string, rules: WaitRules) {
    this.#tasks = tasks;
    this.#prefix = prefix;
    this.#rules = rules;
  }

  look(options: CallOptions): Promise<Look> {
    return this.#rules.any ? this.#lookForAny(options) : this.#lookForAll(options);
  }

  /** Some of the tasks that explain the outcome. None if the coordinator does not answer soon. */
  async examplesOf(outcome: WaitResult["outcome"]): Promise<Omit<WaitResult, "outcome">> {
    if (outcome === "holds") return { tasks: [], has_more: false };
    const { hopeless, unwanted } = this.#rules.condition;
    const status = [...(outcome === "ended_otherwise" ? hopeless : unwanted)];
    const wanted = { prefix: this.#prefix, status, limit: MAX_NAMED };
    try {
      const page = await this.#tasks.list(wanted, { deadlineMs: LAST_LIST_MS });
      const tasks = page.tasks.map(({ task_id, status, claimed_by }) => ({
        task_id,
        status,
        claimed_by,
      }));
      return { tasks, has_more: page.next_cursor !== null };
    } catch (error) {
      if (error instanceof TaskError) return { tasks: [], has_more: false };
      throw error;
    }
  }

  async #lookForAll(options: CallOptions): Promise<Look> {
    const { hopeless, unwanted, wanted } = this.#rules.condition;
    if (await this.#hasSome(hopeless, options)) return decided("ended_otherwise");
    const rest = await this.#list(unwanted, PAGE_SIZE, options);
    if (rest.length > 0) return { outcome: null, open: rest.map(({ task_id: id }) => id) };
    // None is left that keeps the condition from holding, at the moment of this list.
    return (await this.#hasSome(wanted, options)) ? decided("holds") : this.#nothingThere();
  }

  async #lookForAny(options: CallOptions): Promise<Look> {
    const { hopeless, unwanted, wanted } = this.#rules.condition;
    if (await this.#hasSome(wanted, options)) return decided("holds");
    const open = unwanted.filter((status) => !hopeless.includes(status));
    const rest = await this.#list(open, PAGE_SIZE, options);
    if (rest.length > 0) return { outcome: null, open: rest.map(({ task_id: id }) => id) };
    return (await this.#hasSome(hopeless, options))
      ? decided("ended_otherwise")
      : this.#nothingThere();
  }

  #nothingThere(): Look {
    return { outcome: this.#rules.awaitsCreation ? null : "not_found", open: [] };
  }

  async #hasSome(statuses: readonly TaskStatus[], options: CallOptions): Promise<boolean> {
    return statuses.length > 0 && (await this.#list(statuses, 1, options)).length > 0;
  }

  async #list(
    statuses: readonly TaskStatus[],
    limit: number,
    options: CallOptions,
  ): Promise<readonly WaitedTask[]> {
    const wanted = { prefix: this.#prefix, status: [...statuses], limit };
    return (await this.#tasks.list(wanted, options)).tasks;
  }
}

function decided(outcome: Outcome): Look {
  return { outcome, open: [] };
}
