/** Create, update, cancel and requeue: the requests of people and programs that plan the work. */
import {
  CHANGEABLE_FIELDS,
  decodeChanges,
  decodeDefinition,
} from "../protocol/definition-record.ts";
import { CoordinatorError } from "../protocol/errors.ts";
import { millisOrNull } from "../protocol/instants.ts";
import type { Request } from "../protocol/operations.ts";
import type { Principal } from "../protocol/subjects.ts";
import { findCycle } from "../task/dependencies.ts";
import type { TaskDefinition } from "../task/task.ts";
import type { DependencyWarnings } from "./dependency-warnings.ts";
import type { AnswerTo, Clock, Observe, ServiceContext, TaskStore } from "./ports.ts";
import type { ServiceSettings } from "./service-settings.ts";
import { type Author, textOf } from "./permission.ts";
import { cycleError } from "./refusals.ts";
import type { TaskIndex } from "./task-index.ts";
import { recordOf, type SentTask, type TaskAccess, type TaskWriter } from "./task-writer.ts";

export class TaskEdits {
  readonly #store: TaskStore;
  readonly #writer: TaskWriter;
  readonly #tasks: TaskIndex;
  readonly #warnings: DependencyWarnings;
  readonly #settings: ServiceSettings;
  readonly #clock: Clock;
  readonly #observe: Observe;

  constructor(
    { store, index, writer }: TaskAccess,
    warnings: DependencyWarnings,
    { settings, clock, observe }: ServiceContext,
  ) {
    this.#store = store;
    this.#writer = writer;
    this.#tasks = index;
    this.#warnings = warnings;
    this.#settings = settings;
    this.#clock = clock;
    this.#observe = observe;
  }

  async create(
    id: string | undefined,
    request: Request<"tasks.create">,
    author: Author,
  ): Promise<AnswerTo<"tasks.create">> {
    const { task_id: named, session_id: sessionId = null, not_before, ...given } = request;
    if (id !== undefined && named !== undefined && id !== named) {
      throw new CoordinatorError(
        "invalid_request",
        `task_id: the subject says ${id} and the body ${named}: name the task once`,
        { details: { field: "task_id" } },
      );
    }
    const taskId = id ?? named ?? this.#makeId();
    const definition = decodeDefinition(given, this.#settings);
    await this.#refuseCycle(taskId, definition.dependsOn);
    const warnings = this.#warnings.of([{ taskId, dependsOn: definition.dependsOn }]);
    const options = { ...author, sessionId, notBefore: millisOrNull(not_before) };
    return edited(await this.#writer.create(taskId, definition, options), warnings);
  }

  async update(
    taskId: string,
    request: Request<"tasks.update">,
    by: Principal | null,
  ): Promise<AnswerTo<"tasks.update">> {
    const { session_id: sessionId = null, revision, ...given } = request;
    const principal = textOf(by);
    const changes = decodeChanges(given);
    if (Object.keys(changes).length === 0) {
      throw new CoordinatorError(
        "invalid_request",
        `nothing to update: name at least one of ${CHANGEABLE_FIELDS.join(", ")}`,
      );
    }
    const { dependsOn = [] } = changes;
    await this.#refuseCycle(taskId, dependsOn);
    const warnings = this.#warnings.of([{ taskId, dependsOn }]);
    const executed = await this.#writer.execute(
      taskId,
      (task) => ({
        type: "update",
        sessionId,
        principal,
        changes,
        unmet: this.#writer.unmet({ dependsOn: changes.dependsOn ?? task.dependsOn }),
      }),
      { onlyRevision: revision, limitSize: true },
    );
    return edited(executed, warnings);
  }

  /** An agent may cancel what it holds itself, nothing else. */
  async cancel(
    taskId: string,
    request: Request<"tasks.cancel">,
    by: Principal | null,
  ): Promise<AnswerTo<"tasks.cancel">> {
    const { session_id: sessionId = null, force, reason = null } = request;
    const principal = textOf(by);
    const executed = await this.#writer.execute(taskId, (task) =>
      by?.role === "agent" && (sessionId === null || task.claimedBy !== sessionId)
        ? new CoordinatorError(
            "forbidden",
            `only operators cancel tasks that they do not hold: ask one to cancel ${taskId}`,
          )
        : { type: "cancel", sessionId, force, reason, principal },
    );
    return { body: bodyOf(executed) };
  }

  async requeue(
    taskId: string,
    request: Request<"tasks.requeue">,
    principal: string | null,
  ): Promise<AnswerTo<"tasks.requeue">> {
    const { session_id: sessionId = null, reason = null } = request;
    let from: string | null = null;
    const executed = await this.#writer.execute(taskId, (task) => {
      from = task.claimedBy;
      const unmet = this.#writer.unmet(task);
      return { type: "requeue", sessionId, reason, unmet, principal };
    });
    if (executed.written) this.#observe({ kind: "requeued_by_operator", taskId, from });
    return { body: bodyOf(executed) };
  }

  /**
   * Two tasks that are created at the same moment through different workers can still form a cycle.
   *
   * @throws CoordinatorError `invalid_request` with the path of the cycle
   */
  async #refuseCycle(taskId: string, dependsOn: TaskDefinition["dependsOn"]): Promise<void> {
    if (dependsOn.length === 0) return;
    await this.#tasks.position.catchUp(this.#store);
    const cycle = findCycle([taskId], (id) =>
      id === taskId ? dependsOn : this.#tasks.get(id)?.task.dependsOn,
    );
    if (cycle !== null) throw cycleError(cycle);
  }

  /** An id that sorts by time and is unique across workers. */
  #makeId(): string {
    const chance = Math.floor(this.#clock.random() * 2 ** 48).toString(36);
    return `task-${this.#clock.now().toString(36)}-${chance.padStart(10, "0")}`;
  }
}

function edited(sent: SentTask, warnings: string[]): AnswerTo<"tasks.update"> {
  return { body: { ...bodyOf(sent), warnings } };
}

function bodyOf(sent: SentTask) {
  return { ok: true, task: recordOf(sent), revision: sent.revision } as const;
}
