/** Imports tasks in portions. After an error or Ctrl-C, it says what is done. */
import type { Calls } from "../../client/calls.ts";
import { planPortions } from "../../client/import-tasks.ts";
import { hasCode } from "../../client/task-error.ts";
import { CoordinatorError } from "../../protocol/errors.ts";
import type { Finding } from "../../task-files/findings.ts";
import type { ImportedTask } from "../../task-files/finish.ts";
import type { ReadResult } from "../../task-files/read.ts";
import { ExitError, UsageError } from "../shared/errors.ts";
import { interruptible, signalOf } from "../shared/interruptible.ts";
import { changesFor, type Difference, differingFields } from "./compare-tasks.ts";
import { existingTask, existingTasks } from "./existing-tasks.ts";
import { isAboutMissing } from "./missing-tasks.ts";
import { createProgress } from "./progress.ts";
import { type ImportReport, placed } from "./report.ts";

export interface ImportSettings {
  /** Whether to give existing tasks the definition of the files. */
  readonly update: boolean;
  readonly warnings: readonly Finding[];
  /** Whether to show no progress. */
  readonly isQuiet: boolean;
}

/** What is done so far. */
interface Done {
  readonly created: string[];
  readonly unchanged: string[];
  readonly updated: string[];
  readonly differing: string[];
  readonly warnings: string[];
}

export async function importTasks(
  calls: Calls,
  { tasks, findings }: ReadResult,
  portions: readonly (readonly ImportedTask[])[],
  { update, warnings, isQuiet }: ImportSettings,
): Promise<ImportReport> {
  const done: Done = { created: [], unchanged: [], updated: [], differing: [], warnings: [] };
  const byId = new Map(tasks.map((task) => [task.task_id, task]));
  const conflicting = await sayingWhatIsDone(done, tasks.length, async (signal) => {
    const progress = createProgress(tasks.length, isQuiet || portions.length === 1);
    try {
      for (const portion of portions) {
        await importPortion(calls, portion, done, signal);
        progress.show(countOf(done));
      }
    } finally {
      progress.stop();
    }
    return update
      ? await updateTasks(calls, byId, done, signal)
      : await differences(calls, byId, done.differing);
  });
  const { created, unchanged, updated } = done;
  const fromCoordinator = done.warnings.map((message) => ({ place: null, message }));
  return {
    ...{ ok: true, total: tasks.length, created, unchanged, updated, conflicting },
    skipped: findings.skipped,
    warnings: [...warnings.map(placed), ...fromCoordinator],
  };
}

/** The requests of an import. @throws UsageError for a task that is larger than a request can be */
export function portionsOf(
  { tasks, placeOf }: ReadResult,
  { maxPayload: maxBytes }: Calls,
): ImportedTask[][] {
  try {
    return planPortions(tasks, maxBytes);
  } catch (error) {
    if (!(error instanceof CoordinatorError)) throw error;
    const { task_id: id } = error.details;
    const place = typeof id === "string" ? `${placeOf(id)}: ` : "";
    throw new UsageError(`nothing is imported: ${place}${error.message}`);
  }
}

async function importPortion(
  calls: Calls,
  portion: readonly ImportedTask[],
  done: Done,
  signal: AbortSignal,
): Promise<void> {
  const reply = await calls.call("tasks.import", undefined, () => ({ tasks: [...portion] }), {
    signal,
  });
  done.created.push(...reply.created);
  done.unchanged.push(...reply.unchanged);
  done.differing.push(...reply.conflicting);
  done.warnings.push(...reply.warnings.filter((warning) => !isAboutMissing(warning)));
}

function countOf({ created, unchanged, differing }: Done): number {
  return created.length + unchanged.length + differing.length;
}

/** In the order of the files. */
async function differences(
  calls: Calls,
  byId: ReadonlyMap<string, ImportedTask>,
  ids: readonly string[],
): Promise<Difference[]> {
  const existing = await existingTasks(calls, ids);
  const wanted = new Set(ids);
  return [...byId.values()]
    .filter(({ task_id }) => wanted.has(task_id))
    .map((task) => {
      const record = existing.get(task.task_id);
      const fields = record === undefined ? [] : differingFields(task, record);
      // Only the limits that the file does not name are left.
      const named = fields.length === 0 ? ["max_failures or max_lost_leases"] : fields;
      return { task_id: task.task_id, fields: named, created_by: record?.created_by ?? null };
    });
}

/** @returns those that cannot be updated, because they are finished */
async function updateTasks(
  calls: Calls,
  byId: ReadonlyMap<string, ImportedTask>,
  done: Done,
  signal: AbortSignal,
): Promise<Difference[]> {
  const left: Difference[] = [];
  for (const task_id of done.differing) {
    const task = byId.get(task_id);
    const existing = await existingTask(calls, task_id);
    if (task === undefined || existing === null) continue;
    const changes = changesFor(task, existing.task);
    try {
      const body = { ...changes, revision: existing.revision };
      await calls.call("tasks.update", task_id, () => body, { signal });
      done.updated.push(task_id);
    } catch (error) {
      if (!hasCode(error, "not_available", "conflict")) throw error;
      const created_by = existing.task.created_by ?? null;
      left.push({ task_id, fields: Object.keys(changes), created_by });
      done.warnings.push(`${task_id} is not updated: ${error.message}`);
    }
  }
  return left;
}

/** Ends the work at a signal. Errors then say what is done: tasks that are created stay. */
async function sayingWhatIsDone<T>(
  done: Done,
  total: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const cure = (): string =>
    `created ${done.created.length}, unchanged ${done.unchanged.length} of ${total}; ` +
    "run the same command again to continue";
  try {
    return await interruptible(work, () => `if-coordinator: stopped at once: ${cure()}`);
  } catch (error) {
    if (error instanceof ExitError && signalOf(error) !== null) {
      throw new ExitError(error.exitCode, `interrupted: ${cure()}`);
    }
    // The first request was refused as a whole.
    if (error instanceof Error && countOf(done) > 0) error.message += ` (${cure()})`;
    throw error;
  }
}
