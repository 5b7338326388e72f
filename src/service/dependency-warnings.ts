/** Warns about dependencies that do not exist and so block a task. Suggests the id that was probably meant. */
import { SetMap } from "../watched/set-map.ts";
import type { KnownTask, TaskIndex } from "./task-index.ts";
import type { Viewer } from "./viewer.ts";

/** With more warnings, the reply could be larger than a NATS message may be. */
export const MAX_WARNINGS = 20;

interface Dependent {
  readonly taskId: string;
  readonly dependsOn: readonly string[];
}

export class DependencyWarnings {
  readonly #tasks: TaskIndex;
  /** Ids by their lower case. Made for the first dependency that does not exist, because those are rare. */
  #byLowerCase: SetMap | null = null;

  constructor(tasks: TaskIndex) {
    this.#tasks = tasks;
    tasks.onChange(({ taskId, before, after }) => {
      if (before === null) this.#byLowerCase?.add(taskId.toLowerCase(), taskId);
      if (after === null) this.#byLowerCase?.delete(taskId.toLowerCase(), taskId);
    });
  }

  /**
   * The warnings for these tasks.
   *
   * @param created ids of tasks that are created together with them
   * @param viewer who reads the warnings; `null`: somebody who may know of all tasks
   */
  of(
    tasks: readonly Dependent[],
    created: Iterable<string> = [],
    viewer: Viewer | null = null,
  ): string[] {
    const among = new Set(created);
    const exists = (id: string): boolean => among.has(id) || this.#tasks.get(id) !== undefined;
    const unknown = tasks.flatMap(({ taskId, dependsOn }) =>
      dependsOn.filter((id) => !exists(id)).map((id) => ({ taskId, id })),
    );
    if (unknown.length === 0) return [];
    const lowerCase = new Map([...among].map((id) => [id.toLowerCase(), id]));
    const warnings = unknown.slice(0, MAX_WARNINGS).map(({ taskId, id }) => {
      const meant = lowerCase.get(id.toLowerCase()) ?? this.#inOtherCase(id, viewer);
      const hint = meant === undefined ? "" : ` (did you mean ${meant}?)`;
      return `task ${taskId} depends on ${id}, which does not exist${hint}: it stays blocked until that task is created and complete`;
    });
    const more = unknown.length - warnings.length;
    return more === 0 ? warnings : [...warnings, `and ${more} more such dependencies`];
  }

  #inOtherCase(id: string, viewer: Viewer | null): string | undefined {
    if (this.#byLowerCase === null) {
      this.#byLowerCase = new SetMap();
      for (const { taskId } of this.#tasks.values()) {
        this.#byLowerCase.add(taskId.toLowerCase(), taskId);
      }
    }
    const meant = [...this.#byLowerCase.get(id.toLowerCase())];
    return meant.find((one) => isSeen(viewer, this.#tasks.get(one)));
  }
}

/** A suggestion must not name a hidden task. */
function isSeen(viewer: Viewer | null, known: KnownTask | undefined): boolean {
  return viewer === null || (known !== undefined && viewer.sees(known.task));
}
