/** The other requests: next, completions, creation, renewals, dependents. */
import { startArena } from "../arena.ts";
import { durabilitiesOf } from "./claims.ts";
import type { Suite } from "./suite.ts";
import { type Versus, versus } from "./versus.ts";
import type { Scenario } from "../contender.ts";

const PEERS = ["etcd", "redis", "bullmq", "postgres", "graphile-worker", "pg-boss"];
/** They hand out one task at a time. */
const ONE_EACH = ["bullmq"];

interface Contest extends Pick<Versus, "id" | "title" | "unit" | "loads" | "notes"> {
  readonly scenario: Scenario;
}

const CONTESTS: readonly Contest[] = [
  {
    ...{ id: "next", title: "Taking the next task", scenario: "next", unit: "tasks" },
    loads: [{ inFlight: 1 }, { inFlight: 64 }],
  },
  {
    ...{ id: "next-batch", title: "Taking the next tasks, several at a time", scenario: "next" },
    loads: [
      { inFlight: 8, batch: 10 },
      { inFlight: 8, batch: 50 },
    ],
    unit: "tasks",
  },
  {
    ...{ id: "complete", title: "Taking the next task and completing it", scenario: "complete" },
    loads: [{ inFlight: 1 }, { inFlight: 64 }],
    unit: "tasks",
    notes: [
      "if-coordinator completes a task and takes the next one in one request; the others send two.",
    ],
  },
  {
    ...{ id: "create", title: "Creating tasks one by one", scenario: "create", unit: "tasks" },
    loads: [{ inFlight: 64 }],
  },
  {
    ...{ id: "import", title: "Creating tasks by the hundred", scenario: "import", unit: "tasks" },
    loads: [{ inFlight: 4, batch: 100 }],
  },
  {
    ...{ id: "renew", title: "Renewing leases", scenario: "renew", unit: "renewals" },
    loads: [{ inFlight: 64 }],
  },
  {
    ...{ id: "release", title: "Completing tasks that ten others wait for each" },
    ...{ scenario: "release", unit: "completions" },
    loads: [{ inFlight: 1 }, { inFlight: 16 }],
    notes: ["Each completion makes ten tasks available, by writes of their own."],
  },
];

export const tasks: Suite = {
  name: "tasks",
  what: "next, completions, creation, renewals and dependents, compared with all peers",
  async *run(context) {
    const peers = context.isShort ? ["etcd", "redis", "bullmq"] : PEERS;
    await using arena = await startArena({ ...context, peers });
    for (const { scenario, ...about } of CONTESTS) {
      const isBatched = scenario === "next" && about.loads.some(({ batch = 1 }) => batch > 1);
      const rivals = arena.peers.filter(
        ({ peer }) =>
          peer.scenarios.includes(scenario) && !(isBatched && ONE_EACH.includes(peer.name)),
      );
      yield await versus(context.effort, {
        ...about,
        durability: durabilitiesOf(rivals, false),
        entrants: [arena.coordinator, ...rivals].map((rival) => ({ rival, scenario })),
      });
    }
  },
};
