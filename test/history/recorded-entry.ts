/** Entries of a history for tests, with a value for each field that a test does not name. */
import type { RecordedEntry } from "../../src/nats/read-history.ts";

export function recordedEntry(
  given: Pick<RecordedEntry, "taskId" | "revision" | "task"> & Partial<RecordedEntry>,
): RecordedEntry {
  return { writtenAt: 0, unreadable: null, replaces: null, isByWorker: true, ...given };
}
