/** What a task is, the same for all peers: of the length that a swarm's planner would write. */

export interface Details {
  readonly title: string;
  readonly description: string;
  readonly priority: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/** For peers that have no record of a task but what they are given: some 270 bytes of JSON. */
export interface TaskRecord extends Details {
  readonly task_id: string;
  readonly status: "available" | "claimed" | "complete";
  readonly claimed_by: string | null;
  readonly attempt: number;
  readonly created_at: string;
}

export function details(index: number): Details {
  return {
    title: `Task ${index} of the benchmark`,
    description: "Something that an agent does in a minute or ten",
    priority: index % 3,
    metadata: { project: "bench" },
  };
}

export function newRecord(id: string, index: number): TaskRecord {
  return {
    ...{ task_id: id, status: "available", claimed_by: null, attempt: 0 },
    created_at: new Date().toISOString(),
    ...details(index),
  };
}
