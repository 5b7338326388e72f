/** What a task is, the same for all contenders: of the length that a swarm's planner would write. */

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
