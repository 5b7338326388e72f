/** Checks the drafts of all files together and turns them into tasks that the coordinator accepts. */
import { CoordinatorError } from "../protocol/errors.ts";
import type { RequestInput } from "../protocol/operations.ts";
import { parseBody } from "../protocol/parse-request.ts";
import { importedTask } from "../protocol/requests.ts";
import { isTooDeep, MAX_JSON_DEPTH } from "../protocol/storable-json.ts";
import { idRuleFor, isValidId } from "../protocol/subjects.ts";
import { findCycle } from "../task/dependencies.ts";
import { addNesting, type DraftsById, resolveGiven } from "./dependencies.ts";
import type { Draft } from "./draft.ts";
import { type Findings, shown } from "./findings.ts";

/** A task of an import: its id and the fields of its definition, see `docs/protocol.md`. */
export type ImportedTask = RequestInput<"tasks.import">["tasks"][number];

/** The request around a task has two levels: its body and the list of tasks. */
const MAX_TASK_DEPTH = MAX_JSON_DEPTH - 2;
/** So many circles are reported. Others often have edges in common with these. */
const MAX_CYCLES = 5;

export interface Finished {
  readonly tasks: readonly ImportedTask[];
  /** Where each task stands, as `board.md:12:5`. */
  readonly placeOf: (taskId: string) => string;
  /** Dependencies that no file defines, each with the first place that names it. */
  readonly missing: ReadonlyMap<string, string>;
}

/** @param prefix is put before the ids of the files, also where they are named as dependencies */
export function finish(drafts: readonly Draft[], prefix: string, findings: Findings): Finished {
  const byId = distinct(drafts, prefix, findings);
  const dependencies = addNesting(byId, resolveGiven(byId, findings));
  reportCycles(byId, dependencies, findings);
  const finalId = (id: string): string => (byId.has(id) ? prefix + id : id);

  const tasks: ImportedTask[] = [];
  const missing = new Map<string, string>();
  for (const draft of byId.values()) {
    const dependsOn = dependencies.get(draft.id) ?? [];
    for (const id of dependsOn) {
      if (!byId.has(id) && !missing.has(id)) missing.set(id, placeOfDependencies(draft));
    }
    const task = {
      task_id: finalId(draft.id),
      ...draft.fields,
      ...(dependsOn.length === 0 ? {} : { depends_on: dependsOn.map(finalId) }),
    };
    if (isAccepted(task, draft, findings)) tasks.push(task);
  }
  const placeOf = (id: string): string => {
    const draft = byId.get(id.slice(prefix.length));
    return draft === undefined ? "" : draft.source.placeOf(draft.offset);
  };
  return { tasks, placeOf, missing };
}

function placeOfDependencies({ source, offset, offsets }: Draft): string {
  return source.placeOf(offsets.get("depends_on") ?? offset);
}

function distinct(drafts: readonly Draft[], prefix: string, findings: Findings): DraftsById {
  const byId = new Map<string, Draft>();
  for (const draft of drafts) {
    const { id, source, offset } = draft;
    const first = byId.get(id);
    if (first !== undefined) {
      const place = first.source.placeOf(first.offset);
      findings.error(
        source,
        offset,
        `the task id ${shown(id)} is already used at ${place}: rename one`,
      );
    } else if (!isValidId(prefix + id)) {
      findings.error(source, offset, `${shown(id)} is not a task id: use ${idRuleFor(id)}`);
    } else {
      byId.set(id, draft);
    }
  }
  return byId;
}

function reportCycles(
  byId: DraftsById,
  dependencies: Map<string, string[]>,
  findings: Findings,
): void {
  for (let count = 0; count < MAX_CYCLES; count++) {
    const cycle = findCycle(byId.keys(), (id) => dependencies.get(id));
    const [first = "", second = ""] = cycle ?? [];
    const draft = byId.get(first);
    if (cycle === null || draft === undefined) return;
    const named = cycle.map((id) => {
      const step = byId.get(id);
      return step === undefined ? id : `${id} (${placeOfDependencies(step)})`;
    });
    findings.error(
      draft.source,
      draft.offsets.get("depends_on") ?? draft.offset,
      `the tasks depend on each other in a cycle: ${short(named).join(" -> ")}: remove one dependency`,
    );
    // Without this edge, the next search finds another cycle.
    dependencies.set(
      first,
      (dependencies.get(first) ?? []).filter((id) => id !== second),
    );
  }
}

/** A long cycle is shown by its ends. */
function short(steps: readonly string[]): readonly string[] {
  return steps.length <= 10
    ? steps
    : [...steps.slice(0, 5), `${steps.length - 8} more`, ...steps.slice(-3)];
}

function isAccepted(task: Record<string, unknown>, draft: Draft, findings: Findings): boolean {
  if (isTooDeep(task, MAX_TASK_DEPTH)) {
    const message = `${shown(draft.id)} is nested more than ${MAX_TASK_DEPTH} levels deep: flatten it`;
    findings.error(draft.source, draft.offset, message);
    return false;
  }
  if (importedTask.safeParse(task).success) return true;
  try {
    parseBody("tasks.import", JSON.stringify({ tasks: [task] }));
    return true;
  } catch (error) {
    if (!(error instanceof CoordinatorError)) throw error;
    const { field: path } = error.details;
    const [, , field = ""] = typeof path === "string" ? path.split(".") : [];
    const message = error.message.replaceAll("tasks.0.", "");
    findings.error(draft.source, draft.offsets.get(field) ?? draft.offset, message);
    return false;
  }
}
