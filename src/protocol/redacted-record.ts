/** The record of a task without its content, for those who may see only its definition and its state. */
import { type TaskRecord, taskRecord } from "./task-record.ts";

const NAMES = Object.keys(taskRecord.shape) as (keyof TaskRecord)[];

/** Fields that this version does not know may be content, so they go as well. */
export function redacted(record: TaskRecord): TaskRecord {
  const known = Object.fromEntries(
    NAMES.flatMap((name) => (record[name] === undefined ? [] : [[name, record[name]]])),
  ) as unknown as TaskRecord;
  return { ...known, metadata: {}, payload: null, result: null, error: null, redacted: true };
}
