/** Compares the acknowledged writes with what the bucket has after the power came back. */
import type { RecordedEntry } from "../../src/nats/read-history.ts";
import type { Acknowledged } from "./writer.ts";

export interface Losses {
  readonly lost: readonly Acknowledged[];
  /** From the oldest lost write to the loss of power; 0 if nothing is lost. */
  readonly lostSeconds: number;
  /** The number of lost writes that are older than a kept write. */
  readonly holes: number;
  /** The highest attempt that was told, for each task that now has a lower one or is gone. */
  readonly attemptsBack: ReadonlyMap<string, number>;
}

/** @param lostAt the time of the power failure, by the clock of the writes */
export function lossesIn(
  acknowledged: readonly Acknowledged[],
  entries: readonly RecordedEntry[],
  lostAt: number,
): Losses {
  const kept = new Set(
    entries.map(({ taskId, revision, task }) =>
      keyOf(taskId, revision, task?.status, task?.attempt, task?.claimedBy),
    ),
  );
  const isKept = (one: Acknowledged): boolean =>
    kept.has(keyOf(one.taskId, one.revision, one.status, one.attempt, one.holder));
  const lost = acknowledged.filter((one) => !isKept(one));
  const newest = acknowledged.reduce(
    (max, one) => (isKept(one) ? Math.max(max, one.revision) : max),
    0,
  );
  return {
    lost,
    lostSeconds: lost.reduce((max, { at }) => Math.max(max, lostAt - at), 0) / 1000,
    holes: lost.filter(({ revision }) => revision < newest).length,
    attemptsBack: attemptsBack(acknowledged, entries),
  };
}

function attemptsBack(
  acknowledged: readonly Acknowledged[],
  entries: readonly RecordedEntry[],
): ReadonlyMap<string, number> {
  const now = new Map(entries.map(({ taskId, task }) => [taskId, task?.attempt ?? 0]));
  const told = new Map<string, number>();
  for (const { taskId, attempt } of acknowledged) {
    told.set(taskId, Math.max(attempt, told.get(taskId) ?? 0));
  }
  return new Map([...told].filter(([taskId, attempt]) => attempt > (now.get(taskId) ?? 0)));
}

function keyOf(...parts: readonly unknown[]): string {
  return JSON.stringify(parts);
}
