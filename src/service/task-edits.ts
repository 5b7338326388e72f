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
import { cycleThrough, type Neighbours } from "../task/cycle-search.ts";
import type { TaskDefinition } from "../task/task.ts";
import { DependentsBudget } from "./dependents-budget.ts";
import type { DependencyWarnings } from "./dependency-warnings.ts";
import type { AnswerTo, Call, Clock, Observe, ServiceContext, TaskStore } from "./ports.ts";
import type { PrincipalRules } from "./principal-rules.ts";
import type { ServiceSettings } from "./service-settings.ts";
import { prefixFor, requireId } from "./id-owners.ts";
import { authorOf, textOf } from "./permission.ts";
import { cycleError, tooManyConnected } from "./refusals.ts";
import type { TaskIndex } from "./task-index.ts";
import { SenderGate, USUAL_WAIT_MS } from "./sender-gate.ts";
import { recordOf, type SentTask } from "./sent-task.ts";
import { cancelRefusal, updateRefusal } from "./task-rights.ts";
import type { TaskAccess, TaskWriter } from "./task-writer.ts";
import { type Viewer, viewerOf } from "./viewer.ts";

/** So many dependencies are looked at for a cycle: tens of milliseconds. */
const MAX_CYCLE_STEPS = 100_000;
/** Searches for cycles at a time. */
const SEARCHES = { total: 1, perSender: 1, waitMs: USUAL_WAIT_MS };
/** After a search of this length, other requests get their turn. */
const LONG_SEARCH_MS = 1;

export class TaskEdits {
  readonly #store: TaskStore;
  readonly #writer: TaskWriter;
  readonly #tasks: TaskIndex;
  readonly #warnings: DependencyWarnings;
  readonly #rules: PrincipalRules;
  readonly #settings: ServiceSettings;
  readonly #clock: Clock;
  readonly #observe: Observe;
  readonly #graph: Neighbours;
  readonly #dependents: DependentsBudget;
  readonly #searches = new SenderGate(
    SEARCHES,
    "too many dependencies are looked at for cycles: ask again in a moment",
  );

  constructor(
    { store, index, writer }: TaskAccess,
    { warnings, rules }: { readonly warnings: DependencyWarnings; readonly rules: PrincipalRules },
    { settings, clock, observe }: ServiceContext,
  ) {
    this.#store = store;
    this.#writer = writer;
    this.#tasks = index;
    this.#warnings = warnings;
    this.#rules = rules;
    this.#settings = settings;
    this.#clock = clock;
    this.#observe = observe;
    this.#dependents = new DependentsBudget(index, clock);
    this.#graph = {
      dependenciesOf: (id) => index.get(id)?.dependsOn,
      dependentsOf: (id) => index.dependents.get(id),
    };
  }

  async create(call: Call<"tasks.create">): Promise<AnswerTo<"tasks.create">> {
    const { id, body: request, principal } = call;
    const { task_id: named, session_id: sessionId = null, not_before, ...given } = request;
    if (id !== undefined && named !== undefined && id !== named) {
      throw new CoordinatorError(
        "invalid_request",
        `task_id: the subject says ${id} and the body ${named}: name the task once`,
        { details: { field: "task_id" } },
      );
    }
    const taskId = id ?? named ?? this.#makeId(prefixFor(this.#rules, principal));
    requireId(this.#rules, taskId, principal);
    const definition = decodeDefinition(given, this.#settings);
    const viewer = viewerOf(this.#settings.visibility, principal);
    await this.#refuseCycle(taskId, definition.dependsOn, { sender: call.sender, viewer });
    const warnings = this.#warnings.of([{ taskId, dependsOn: definition.dependsOn }], [], viewer);
    const options = { ...authorOf(call), sessionId, notBefore: millisOrNull(not_before) };
    return edited(await this.#writer.create(taskId, definition, options), warnings);
  }

  async update(call: Call<"tasks.update">): Promise<AnswerTo<"tasks.update">> {
    const { id: taskId, body: request, principal: by, sender } = call;
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
    if (changes.dependsOn !== undefined && by?.role !== "operator") {
      this.#dependents.spend(sender, taskId);
    }
    const viewer = viewerOf(this.#settings.visibility, by);
    await this.#refuseCycle(taskId, dependsOn, { sender, viewer });
    const warnings = this.#warnings.of([{ taskId, dependsOn }], [], viewer);
    const executed = await this.#writer.execute(
      taskId,
      (task) =>
        updateRefusal(task, by) ?? {
          type: "update",
          sessionId,
          principal,
          changes,
          unmet: this.#writer.unmet({ dependsOn: changes.dependsOn ?? task.dependsOn }),
        },
      { onlyRevision: revision, limitSize: true, growsFor: principal },
    );
    return edited(executed, warnings);
  }

  async cancel(
    taskId: string,
    request: Request<"tasks.cancel">,
    by: Principal | null,
  ): Promise<AnswerTo<"tasks.cancel">> {
    const { session_id: sessionId = null, force, reason = null } = request;
    const principal = textOf(by);
    const executed = await this.#writer.execute(
      taskId,
      (task) =>
        cancelRefusal(task, by, sessionId) ?? {
          type: "cancel",
          sessionId,
          force,
          reason,
          principal,
        },
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
   * @throws CoordinatorError `invalid_request` with the path of the cycle, if the viewer may see all of it
   */
  async #refuseCycle(
    taskId: string,
    dependsOn: TaskDefinition["dependsOn"],
    { sender, viewer }: { readonly sender: string; readonly viewer: Viewer | null },
  ): Promise<void> {
    if (dependsOn.length === 0) return;
    await this.#tasks.position.catchUp(this.#store);
    const cycle = await this.#searches.during(sender, 1, async () => {
      const beganAt = this.#clock.steady();
      const found = cycleThrough(taskId, dependsOn, this.#graph, MAX_CYCLE_STEPS);
      // Hundreds of requests can need a search at the same moment.
      if (this.#clock.steady() - beganAt >= LONG_SEARCH_MS) await new Promise(setImmediate);
      return found;
    });
    if (cycle === "too_far") throw tooManyConnected(taskId);
    if (cycle === null) return;
    const isSeen = (id: string): boolean => {
      const known = this.#tasks.get(id);
      return viewer === null || known === undefined || viewer.sees(known.task);
    };
    throw cycleError(cycle.every(isSeen) ? cycle : null);
  }

  /** An id that sorts by time and is unique across workers. */
  #makeId(prefix: string): string {
    const chance = Math.floor(this.#clock.random() * 2 ** 48).toString(36);
    return `${prefix}task-${this.#clock.now().toString(36)}-${chance.padStart(10, "0")}`;
  }
}

function edited(sent: SentTask, warnings: string[]): AnswerTo<"tasks.update"> {
  return { body: { ...bodyOf(sent), warnings } };
}

function bodyOf(sent: SentTask) {
  return { ok: true, task: recordOf(sent), revision: sent.revision } as const;
}
