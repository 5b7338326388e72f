/** The definition of a task. It is the same for all contenders, and as long as those that planners write. */

export interface Definition {
  readonly title: string;
  readonly description: string;
  readonly priority: number;
  readonly metadata: Readonly<Record<string, string>>;
}

export function definition(index: number): Definition {
  return {
    title: `Task ${index} of the benchmark`,
    description: "Something that an agent does in a minute or ten",
    priority: index % 3,
    metadata: { project: "bench" },
  };
}

/** A message as long as the record of such a task, once it is claimed. */
export const PLAIN_RECORD = JSON.stringify({ record: "x".repeat(580) });
