/** All else that is asked of a coordinator: next, completions, creation, renewals, dependants. */
import { Arena } from "../arena.ts";
import type { Round, Scenario } from "../contender.ts";
import { durabilityOf } from "./claims.ts";
import { type Entrant, versus } from "./versus.ts";
import type { Suite } from "./suite.ts";

const PEERS = ["etcd", "redis", "bullmq", "postgres", "graphile-worker", "pg-boss"];
/** As many of a batch as BullMQ hands out. */
const ONE_EACH = new Set(["bullmq"]);

interface Contest {
  readonly id: string;
  readonly title: string;
  readonly scenario: Scenario;
  readonly unit: string;
  readonly loads: readonly Pick<Round, "inFlight" | "batch">[];
  readonly notes?: readonly string[];
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
  what: "next, completions, creation, renewals and dependants, against all peers",
  async *run(context) {
    const peers = context.isShort ? ["etcd", "redis", "bullmq"] : PEERS;
    await using arena = await Arena.start({ ...context, peers });
    for (const { id, title, scenario, unit, loads, notes = [] } of CONTESTS) {
      const isBatched = loads.some(({ batch = 1 }) => batch > 1) && scenario === "next";
      const rivals = arena.peers.filter(
        ({ peer }) => peer.scenarios.includes(scenario) && !(isBatched && ONE_EACH.has(peer.name)),
      );
      const entrants = [arena.coordinator, ...rivals].map((rival): Entrant => ({
        rival,
        scenario,
      }));
      const durabilities = durabilityOf({ peers: rivals }, false);
      const about = { id, title, notes: [...notes, ...durabilities], entrants, loads, unit };
      yield await versus(about, context.effort);
    }
  },
};
