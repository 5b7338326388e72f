/** Resolves the dependencies that a file names: ranges, wildcards, and those that follow from nesting. */
import { idRuleFor, isValidId } from "../protocol/subjects.ts";
import type { Draft, GivenDependency } from "./draft.ts";
import { type Findings, shown } from "./findings.ts";
import { isNothing } from "./words.ts";

/** A longer range is a mistake. */
const MAX_RANGE = 1_000;

/** All drafts of an import by their ids. */
export type DraftsById = ReadonlyMap<string, Draft>;

/** The dependencies of each draft that its file names, resolved to ids. */
export function resolveGiven(drafts: DraftsById, findings: Findings): Map<string, string[]> {
  const resolved = new Map<string, string[]>();
  for (const draft of drafts.values()) {
    const ids = new Set<string>();
    for (const dependency of draft.dependencies) {
      for (const id of idsOf(dependency, draft, drafts, findings)) ids.add(id);
    }
    resolved.set(draft.id, [...ids]);
  }
  return resolved;
}

function idsOf(
  { text, offset, isExact }: GivenDependency,
  { id: own, source }: Draft,
  drafts: DraftsById,
  findings: Findings,
): readonly string[] {
  if (drafts.has(text)) return [text];
  const found = isExact ? null : (rangeOf(text, drafts) ?? matching(text, own, drafts));
  if (found !== null && found.length > MAX_RANGE) {
    findings.error(source, offset, `depends_on: ${shown(text)} names more than ${MAX_RANGE} tasks`);
    return [];
  }
  if (found !== null) {
    if (found.length > 0) return found;
    findings.error(source, offset, `depends_on: ${shown(text)} matches no task of the file`);
    return [];
  }
  if (isValidId(text)) return [text];
  findings.error(
    source,
    offset,
    `depends_on: ${shown(text)} is not a task id: use ${idRuleFor(text)}`,
  );
  return [];
}

const RANGE = /^(.*?)(\d+)(\s*(?:-|–|—|\.{2,3}|…|\sto\s|\sthrough\s)\s*)(.*?)(\d+)$/;

/** Whether a cell can name this id without quotes: it cannot be taken for a range, or for nothing. */
export function isPlainReference(id: string): boolean {
  return !RANGE.test(id) && !isNothing(id);
}

/** `P0.1.2-5`, `P0.1.2 - P0.1.5` and `P0.1.2..5` are four tasks; `null` if the text is no range. */
function rangeOf(text: string, drafts: DraftsById): string[] | null {
  const [, stem = "", first = "", separator = "", stemAgain = "", last = ""] =
    RANGE.exec(text) ?? [];
  if (first === "" || (stemAgain !== "" && stemAgain !== stem)) return null;
  // Ids can contain "-", so `T1-2` is a range only if the file has T1.
  if (isValidId(text) && separator === "-" && !drafts.has(stem + first)) return null;
  const count = Number(last) - Number(first) + 1;
  if (count < 1) return null;
  const width = first.startsWith("0") ? first.length : 0;
  return Array.from({ length: Math.min(count, MAX_RANGE + 1) }, (_, index) => {
    return stem + String(Number(first) + index).padStart(width, "0");
  });
}

/** `P0.1.*` is every other task whose id begins with `P0.1.`; `null` if the text has no such sign. */
function matching(text: string, own: string, drafts: DraftsById): string[] | null {
  if (!text.endsWith("*")) return null;
  const stem = text.slice(0, -1);
  const all: string[] = [];
  for (const id of drafts.keys()) {
    if (id !== own && id.startsWith(stem)) all.push(id);
    if (all.length > MAX_RANGE) break;
  }
  return all;
}

/**
 * Adds what nesting means: a task is complete when its parts are, so it depends on them. And its parts
 * begin only when it could begin, so they also depend on what it depends on.
 */
export function addNesting(
  drafts: DraftsById,
  given: ReadonlyMap<string, string[]>,
): Map<string, string[]> {
  const all = new Map([...given].map(([id, ids]) => [id, new Set(ids)]));
  for (const { id, parent } of drafts.values()) {
    if (parent === null || parent === id) continue;
    all.get(parent)?.add(id);
    for (const ancestor of ancestorsOf(id, drafts)) {
      for (const dependency of given.get(ancestor) ?? []) {
        const isPart = dependency === id || ancestorsOf(dependency, drafts).includes(ancestor);
        if (!isPart) all.get(id)?.add(dependency);
      }
    }
  }
  return new Map([...all].map(([id, ids]) => [id, [...ids]]));
}

/** From the parent up. A file can name a circle of parents. */
function ancestorsOf(id: string, drafts: DraftsById): string[] {
  const above: string[] = [];
  let parent = drafts.get(id)?.parent ?? null;
  while (parent !== null && !above.includes(parent)) {
    above.push(parent);
    parent = drafts.get(parent)?.parent ?? null;
  }
  return above;
}
