/** Import: creates many tasks at once, all validated first. It is idempotent. */
import { isSameDefinition } from "../protocol/definition-record.ts";
import { CoordinatorError, hasCode } from "../protocol/errors.ts";
import type { Request } from "../protocol/operations.ts";
import { findCycle, inDependencyOrder } from "../task/dependencies.ts";
import { createTask } from "../task/task.ts";
import { type DependencyWarnings, MAX_WARNINGS } from "./dependency-warnings.ts";
import { type Imported, toImported } from "./imported-task.ts";
import type { Owned } from "./owned-tasks.ts";
import type { AnswerTo, Clock, ServiceContext, TaskStore } from "./ports.ts";
import type { ServiceSettings } from "./service-settings.ts";
import type { Author } from "./permission.ts";
import { cycleError } from "./refusals.ts";
import type { TaskIndex } from "./task-index.ts";
import type { TaskAccess, TaskWriter } from "./task-writer.ts";

/** Writes in flight of one import: enough to hide the round trips, too few to delay claims. */
const PARALLEL = 64;

type Result = "created" | "unchanged" | Conflict;
/** A task that exists with another definition. `createdBy`: `null` if that is not known. */
interface Conflict {
  readonly createdBy: string | null;
}

const UNREADABLE: Conflict = { createdBy: null };

export class Importer {
  readonly #store: TaskStore;
  readonly #writer: TaskWriter;
  readonly #tasks: TaskIndex;
  readonly #warnings: DependencyWarnings;
  readonly #settings: ServiceSettings;
  readonly #clock: Clock;

  constructor(
    { store, index, writer }: TaskAccess,
    warnings: DependencyWarnings,
    { settings, clock }: ServiceContext,
  ) {
    this.#store = store;
    this.#writer = writer;
    this.#tasks = index;
    this.#warnings = warnings;
    this.#settings = settings;
    this.#clock = clock;
  }

  /** Creates nothing unless all tasks are valid and within the limits. */
  async run(request: Request<"tasks.import">, by: Author): Promise<AnswerTo<"tasks.import">> {
    const author = { ...by, sessionId: request.session_id ?? null };
    const now = this.#clock.now();
    const tasks = request.tasks.map((given) => toImported(given, author, this.#settings, now));
    await this.#tasks.position.catchUp(this.#store);
    const { warnings, added } = this.#validate(tasks);
    const addition = { principal: by.principal, owner: by.createdBy };
    const written = await this.#writer.limits.reserve(addition, added, added.bytes);
    const results = new Map<string, Result>();
    try {
      // Finished tasks come first, so that they never block others for a moment.
      for (const isFinished of [true, false]) {
        const portion = tasks.filter(({ options }) => isFinished === (options.finished !== null));
        await this.#importAll(portion, results);
      }
    } finally {
      written();
    }
    const taskIds = tasks.map(({ taskId }) => taskId);
    const having = (wanted: Result): string[] => taskIds.filter((id) => results.get(id) === wanted);
    const conflicts = taskIds.flatMap((task_id) => {
      const result = results.get(task_id);
      return typeof result === "object" ? [{ task_id, created_by: result.createdBy }] : [];
    });
    return {
      body: {
        ok: true,
        created: having("created"),
        unchanged: having("unchanged"),
        conflicting: conflicts.map(({ task_id }) => task_id),
        conflicts,
        warnings: [...warnings, ...this.#unfinished(tasks)],
      },
    };
  }

  /** @throws CoordinatorError `invalid_request`, `too_large` */
  #validate(tasks: readonly Imported[]): {
    readonly warnings: string[];
    /** What the import adds, as far as this worker knows. */
    readonly added: Owned;
  } {
    const added = { tasks: 0, bytes: 0 };
    const byId = new Map<string, Imported>();
    for (const [position, task] of tasks.entries()) {
      if (byId.has(task.taskId)) {
        throw new CoordinatorError(
          "invalid_request",
          `tasks.${position}.task_id: ${task.taskId} is named twice: remove or rename one of them`,
          { details: { field: `tasks.${position}.task_id` } },
        );
      }
      byId.set(task.taskId, task);
      const size = this.#writer.checkSize(
        createTask(task.taskId, task.definition, {
          ...task.options,
          blocked: true,
          now: this.#clock.now(),
        }),
      );
      if (this.#tasks.get(task.taskId) !== undefined) continue;
      added.tasks++;
      added.bytes += size;
    }
    const dependenciesOf = (id: string): readonly string[] | undefined =>
      (byId.get(id) ?? this.#tasks.get(id)?.task)?.dependsOn;
    const cycle = findCycle(byId.keys(), dependenciesOf);
    if (cycle !== null) throw cycleError(cycle);

    const open = tasks.filter(({ options }) => options.finished === null);
    return { warnings: this.#warnings.of(open, byId.keys()), added };
  }

  /** Warnings for tasks that the import contains as finished, but that exist with another status. */
  #unfinished(tasks: readonly Imported[]): string[] {
    const warnings = tasks.flatMap(({ taskId, options: { finished } }) => {
      const status = this.#tasks.get(taskId)?.status;
      if (finished === null || status === undefined || status === finished.status) return [];
      return [
        `task ${taskId} exists and is ${status}: an import does not make it ${finished.status}`,
      ];
    });
    return shortened(warnings, "tasks");
  }

  async #importAll(tasks: readonly Imported[], results: Map<string, Result>): Promise<void> {
    const queue = inDependencyOrder(tasks).values();
    const work = async (): Promise<void> => {
      for (const task of queue) results.set(task.taskId, await this.#importOne(task));
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
  }

  /** A task that exists is compared by its definition only: its state may have changed since. */
  async #importOne({ taskId, definition, options }: Imported): Promise<Result> {
    try {
      // If this worker knows the task, it does not try to create it.
      if (this.#tasks.get(taskId) === undefined) {
        await this.#writer.create(taskId, definition, options, true);
        return "created";
      }
    } catch (error) {
      if (hasCode(error, "corrupt_record")) return UNREADABLE;
      if (!hasCode(error, "already_exists")) throw error;
    }
    try {
      const { task: existing } = await this.#writer.load(taskId);
      const { createdBy } = existing;
      return isSameDefinition(existing, definition) ? "unchanged" : { createdBy };
    } catch (error) {
      if (hasCode(error, "corrupt_record")) return UNREADABLE;
      if (!hasCode(error, "not_found")) throw error;
      await this.#writer.create(taskId, definition, options);
      return "created";
    }
  }
}

function shortened(warnings: string[], of: string): string[] {
  const more = warnings.splice(MAX_WARNINGS).length;
  return more === 0 ? warnings : [...warnings, `and ${more} more such ${of}`];
}
