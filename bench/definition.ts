/** A task as a swarm's planner would write it. */
export function definition(index: number): object {
  return {
    title: `Task ${index} of the benchmark`,
    description: "Something that an agent does in a minute or ten",
    priority: index % 3,
    metadata: { project: "bench" },
  };
}
