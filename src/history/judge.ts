/**
 * Judges a history write by write, in the order of the revisions. It keeps the last state of each task, so its
 * memory grows with the number of tasks and not with the length of their history.
 */
import type { RecordedEntry } from "../nats/read-history.ts";
import { isWrite, type Past, type Write } from "./history.ts";
import {
  isClaim,
  isEdit,
  type Outcome,
  pastAfter,
  type RuleName,
  WRITE_RULES,
  type WriteRule,
  type WriteRuleName,
} from "./rules.ts";
import { Tally, type Violation } from "./tally.ts";

/** The last known state of a task. */
export interface Trail {
  readonly past: Past;
  /** Of its last entry, also if that removed the task or is unreadable. */
  readonly revision: number;
  readonly writtenAt: number | null;
  /** Whether some record of it shows it as complete. */
  readonly wasComplete: boolean;
  /** Whether earlier records of it are gone. */
  readonly isTrimmed: boolean;
  /** How many revisions of the bucket were missing up to this one. */
  readonly gaps: number;
}

export interface JudgeOptions {
  /** Whether entries are missing, because they are gone. Default: the numbers of the revisions tell. */
  readonly hasGaps?: boolean;
  /** Only these tasks are judged. The others serve to judge them. Default: all. */
  readonly isJudged?: (taskId: string) => boolean;
  /** The violations of each rule that are kept. More are counted. Default: all. */
  readonly maxKept?: number;
}

export class Judge {
  readonly tally: Tally;
  readonly trails: ReadonlyMap<string, Trail>;
  readonly #trails = new Map<string, Trail>();
  readonly #isJudged: (taskId: string) => boolean;
  readonly #countsGaps: boolean;
  /** Whether some entry before the last one is missing. */
  #hasGaps: boolean;
  #gaps = 0;
  #taken = 0;

  constructor({ hasGaps, isJudged = () => true, maxKept }: JudgeOptions = {}) {
    this.tally = new Tally(maxKept);
    this.trails = this.#trails;
    this.#isJudged = isJudged;
    this.#countsGaps = hasGaps === undefined;
    this.#hasGaps = hasGaps ?? false;
  }

  take(entry: RecordedEntry): void {
    this.#taken++;
    if (this.#countsGaps) {
      this.#gaps = entry.revision - this.#taken;
      this.#hasGaps = this.#gaps > 0;
    }
    const gaps = this.#gaps;
    const trail = this.#trails.get(entry.taskId);
    const { revision, writtenAt } = entry;
    if (!isWrite(entry)) {
      const past = { kind: entry.unreadable === null ? "nothing" : "unknown" } as const;
      const { wasComplete = false, isTrimmed = this.#hasGaps } = trail ?? {};
      this.#trails.set(entry.taskId, { past, revision, writtenAt, wasComplete, isTrimmed, gaps });
      return;
    }
    const past = this.#pastOf(entry, trail);
    if (this.#isJudged(entry.taskId)) this.#judge(entry, past);
    this.#trails.set(entry.taskId, {
      past: pastAfter(entry, past),
      revision,
      writtenAt,
      wasComplete: (trail?.wasComplete ?? false) || entry.task.status === "complete",
      isTrimmed: (trail?.isTrimmed ?? false) || past.kind === "unknown",
      gaps,
    });
  }

  /** The tasks that are judged, each with its last state. */
  *judgedTrails(): Generator<[string, Trail]> {
    for (const [taskId, trail] of this.#trails) if (this.#isJudged(taskId)) yield [taskId, trail];
  }

  #pastOf({ replaces, task }: Write, trail: Trail | undefined): Past {
    // The server has checked that there was nothing, or that there was something which is gone.
    if (replaces === 0) return trail?.past.kind === "known" ? trail.past : { kind: "nothing" };
    if (replaces !== null && replaces > (trail?.revision ?? 0)) {
      return { kind: task.lastEvent?.type === "task_created" ? "nothing" : "unknown" };
    }
    if (trail !== undefined) {
      // A write by hand does not say what it replaced: perhaps one of the revisions that are missing.
      const isSure = replaces !== null || trail.gaps === this.#gaps;
      return isSure ? trail.past : { kind: "unknown" };
    }
    const isFirst = !this.#hasGaps || task.lastEvent?.type === "task_created";
    return { kind: isFirst ? "nothing" : "unknown" };
  }

  #judge(write: Write, past: Past): void {
    const edit = isEdit(write, past);
    const event = edit ? null : write.task.lastEvent;
    for (const name of Object.keys(WRITE_RULES) as WriteRuleName[]) {
      const rule: WriteRule = WRITE_RULES[name];
      const outcome =
        edit && rule.judgesEdits !== true ? "by_hand" : rule.check(write, past, event);
      this.#note(name, write, outcome);
    }
    if (isClaim(event)) this.#judgeDependencies(write);
  }

  /**
   * A complete dependency may be requeued at the moment of the claim. Nothing can exclude that, because the
   * two tasks are different records. So it counts that the dependency was complete once.
   */
  #judgeDependencies(write: Write): void {
    for (const id of write.task.dependsOn) {
      const trail = this.#trails.get(id);
      if (trail?.wasComplete === true) this.#note("dependencies_first", write, []);
      else if (trail === undefined ? this.#hasGaps : trail.isTrimmed) {
        this.#note("dependencies_first", write, "dependency");
      } else {
        const what = `claimed before ${id} was complete`;
        this.tally.checked("dependencies_first");
        this.tally.violated({ ...describe("dependencies_first", write, what), restsOn: [id] });
      }
    }
  }

  #note(rule: RuleName, write: Write, outcome: Outcome): void {
    if (outcome === null) return;
    if (typeof outcome === "string") {
      this.tally.unchecked(rule, write.taskId, outcome);
      return;
    }
    this.tally.checked(rule);
    for (const what of outcome) this.tally.violated(describe(rule, write, what));
  }
}

function describe(rule: RuleName, write: Write, what: string): Violation {
  const { taskId, revision, writtenAt, isByWorker, task } = write;
  const { claimedBy, lastEvent } = task;
  const sessionId = lastEvent?.sessionId ?? claimedBy;
  return { rule, taskId, revision, writtenAt, sessionId, isByHand: !isByWorker, what, restsOn: [] };
}
