/** What a claim costs: of a given task each, of one task by many, at one node and at three. */
import { Arena, OWN_TITLE } from "../arena.ts";
import { type Entrant, versus } from "./versus.ts";
import type { Suite, SuiteContext } from "./suite.ts";

const PEERS = ["etcd", "redis", "bullmq", "postgres"];
const FSYNC = [false, true] as const;

function loadsFor({ isShort }: SuiteContext): { readonly inFlight: number }[] {
  return (isShort ? [1, 64] : [1, 16, 64, 256]).map((inFlight) => ({ inFlight }));
}

/** The floor first: the others are told as parts of it. */
function claimants(arena: Arena): Entrant[] {
  const { floor, coordinator, peers } = arena;
  return [
    { rival: floor, scenario: "echo+write", title: "NATS: request + one write" },
    { rival: floor, scenario: "echo", title: "NATS: request" },
    { rival: floor, scenario: "write", title: "NATS: one write" },
    { rival: coordinator, scenario: "claim" },
    ...peers.map(entrantOf),
  ];
}

/** BullMQ hands out no job by its id: the next one, then. */
function entrantOf(rival: Arena["peers"][number]): Entrant {
  if (rival.peer.scenarios.includes("claim")) return { rival, scenario: "claim" };
  return { rival, scenario: "next", title: `${rival.title}: the next one` };
}

export const claims: Suite = {
  name: "claims",
  what: "claims by id, against NATS alone, etcd, Redis and PostgreSQL",
  async *run(context) {
    const { effort, isShort } = context;
    for (const fsync of FSYNC) {
      await using arena = await Arena.start({ ...context, fsync, peers: PEERS });
      const how = fsync ? "fsync" : "default";
      yield await versus(
        {
          id: `claims-${how}`,
          title: `Claims of a given task each, ${durability(fsync)}`,
          notes: durabilityOf(arena, fsync),
          entrants: claimants(arena),
          loads: loadsFor(context),
          unit: "claims",
        },
        effort,
      );
      if (fsync || isShort) continue;
      const { coordinator } = arena;
      const peers = arena.peers.filter(({ peer }) => peer.scenarios.includes("contended"));
      yield await versus(
        {
          id: "contended",
          title: "100 sessions claim the same task at the same time, one after the other",
          notes: ["Each claim is answered, one in a hundred by the task."],
          entrants: [coordinator, ...peers].map((rival) => ({ rival, scenario: "contended" })),
          loads: [{ inFlight: 100 }],
          unit: "answers",
        },
        effort,
      );
    }
  },
};

export const cluster: Suite = {
  name: "cluster",
  what: "claims with three NATS nodes and three replicas",
  async *run(context) {
    for (const fsync of FSYNC) {
      await using arena = await Arena.start({ ...context, fsync, nodes: 3 });
      yield await versus(
        {
          id: `cluster-${fsync ? "fsync" : "default"}`,
          title: `Claims with three nodes and three replicas, ${durability(fsync)}`,
          notes: ["All three nodes, the worker and the client share the cores of one machine."],
          entrants: claimants(arena),
          loads: loadsFor(context),
          unit: "claims",
        },
        context.effort,
      );
    }
  },
};

export const workers: Suite = {
  name: "workers",
  what: "claims with one, two and four workers",
  async *run(context) {
    const counts = [1, 2, 4];
    await using one = await Arena.start({ ...context, workers: 1 });
    await using two = await Arena.start({ ...context, workers: 2 });
    await using four = await Arena.start({ ...context, workers: 4 });
    const entrants = [one, two, four].map(({ coordinator }, i): Entrant => {
      const title = `${OWN_TITLE}, workers: ${counts[i] ?? 0}`;
      return { rival: coordinator, scenario: "claim", title };
    });
    yield await versus(
      {
        id: "workers",
        title: "Claims by the number of workers",
        notes: [
          "Workers help where there are cores for them: see the processor time of each part.",
        ],
        entrants,
        loads: [{ inFlight: 64 }, { inFlight: 256 }],
        unit: "claims",
      },
      context.effort,
    );
  },
};

export function durability(fsync: boolean): string {
  return fsync ? "on the disk before they are acknowledged" : "with the servers' usual durability";
}

/** Where an acknowledged write is, for each. */
export function durabilityOf({ peers }: Pick<Arena, "peers">, fsync: boolean): string[] {
  const nats = fsync
    ? "on the disk before each acknowledgement (sync_interval: always)"
    : "in the page cache, on the disk within two minutes (sync_interval, as NATS has it)";
  return [
    `NATS and ${OWN_TITLE}: an acknowledged write is ${nats}`,
    ...peers.map(({ peer: { title, durability: of, note } }) => {
      return `${title}: ${fsync ? of.fsync : of.relaxed}${note === undefined ? "" : `; ${note}`}`;
    }),
  ];
}
