/** Attacks by single requests that are much work. */
import type { AttackReport } from "../attack.ts";
import { LAYER } from "../attacks.ts";
import type { Row, Scene } from "../row.ts";
import type { Finding } from "../verdict.ts";
import { FLOODED_MS } from "./floods.ts";

const HELD = 1_000;
/** Layers between which cycles are looked for, and searches that a second has time for. */
const [LAYERS, SEARCHED] = [3, 50];

/** Otherwise the row shows nothing. */
function searchesHaveRun(_: Scene, { answers }: AttackReport): Promise<readonly Finding[]> {
  const refused = answers.invalid_request ?? 0;
  const holds = answers.ok === LAYERS * LAYER && refused >= SEARCHED;
  const seen = `${answers.ok ?? 0} tasks created, ${refused} refused`;
  return Promise.resolve([{ promise: "searches that take too long are refused", holds, seen }]);
}

export const HEAVY_REQUESTS: readonly Row[] = [
  {
    name: "dense-graph",
    does: "creates 3,000 tasks that depend on each other as much as possible",
    attack: "dense graph",
  },
  {
    name: "cycles",
    does: "creates 200 tasks at once, each between layers of 400 tasks that depend on each other",
    attack: "cycles",
    after: searchesHaveRun,
  },
  {
    name: "unique-tags",
    does: "creates tasks with 40,000 tags, and asks 200 times at once for tasks with many tags",
    attack: "unique tags",
  },
  {
    name: "heartbeats",
    does: "sends heartbeats with 1,000 claims as fast as NATS takes them",
    attack: "heartbeats",
    bounds: { p99Ms: 2 * FLOODED_MS },
    prepare: async ({ operator }) => {
      const tasks = Array.from({ length: HELD }, (_, i) => ({ task_id: `beat.${i}` }));
      await operator.must("tasks.import", { tasks });
    },
  },
];
