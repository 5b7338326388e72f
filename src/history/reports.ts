/**
 * The rules for what others say about a history: every write reached the subscriber, and what a session reports
 * was written.
 */
import type { RecordedEntry } from "../nats/read-history.ts";
import type { EventType } from "../task/task.ts";
import type { Finding, History } from "./history.ts";

/** The writes that a subscriber received, in this order. */
type Told = readonly { readonly taskId: string; readonly revision: number }[];

/**
 * A subscriber received every revision, once and in order.
 *
 * @param isWhole whether the bucket still has every revision that the subscriber received
 */
export function everyRevisionTold(
  entries: readonly RecordedEntry[],
  told: Told,
  { isWhole }: { readonly isWhole: boolean },
): Finding[] {
  const delivered = new Set(told.map(({ revision }) => revision));
  const written = new Set(entries.map(({ revision }) => revision));
  const finding = (problem: string) => (of: Told[number]) => ({
    taskId: of.taskId,
    what: `revision ${of.revision} ${problem}`,
  });
  const lost = entries.filter(({ revision }) => !delivered.has(revision));
  const unordered = told.filter(({ revision }, i) => revision <= (told[i - 1]?.revision ?? 0));
  const invented = isWhole ? told.filter(({ revision }) => !written.has(revision)) : [];
  return [
    ...lost.map(finding("was not told")),
    ...unordered.map(finding("was told twice or out of order")),
    ...invented.map(finding("was told but is not in the bucket")),
  ];
}

/** An action on a task that a session reports. */
export interface Deed {
  readonly taskId: string;
  readonly sessionId: string | null;
  readonly attempt: number;
  /** One of these events shows it. */
  readonly events: readonly EventType[];
  /** The finding if the history does not show the action. */
  readonly otherwise: string;
}

/** Every action that a session reports is in the history, whichever processes have died since. */
export function deedsRecorded(history: History, deeds: readonly Deed[]): Finding[] {
  const keyOf = (...parts: readonly unknown[]): string => JSON.stringify(parts);
  const written = new Set(
    [...history].flatMap(([taskId, states]) =>
      states.map(({ task: { attempt, lastEvent } }) =>
        keyOf(taskId, attempt, lastEvent?.sessionId, lastEvent?.type),
      ),
    ),
  );
  return deeds.flatMap(({ taskId, sessionId, attempt, events, otherwise: what }) => {
    const isRecorded = events.some((type) => written.has(keyOf(taskId, attempt, sessionId, type)));
    return isRecorded ? [] : [{ taskId, what }];
  });
}
