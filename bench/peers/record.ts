/** The record of a task, for peers that have none but what they are given: some 270 bytes of JSON. */
import { definition, type Definition } from "../definition.ts";

export interface TaskRecord extends Definition {
  readonly task_id: string;
  readonly status: "available" | "claimed" | "complete";
  readonly claimed_by: string | null;
  readonly attempt: number;
  readonly created_at: string;
}

export function newRecord(id: string, index: number): TaskRecord {
  return {
    ...{ task_id: id, status: "available", claimed_by: null, attempt: 0 },
    created_at: new Date().toISOString(),
    ...definition(index),
  };
}
