/** What a claim costs: of a new task each, of one task by many, at one node and at three. */
import { type Arena, OWN_TITLE, type PeerRival, startArena } from "../arena.ts";
import { type Durability, durabilityOf, NATS_DURABILITY } from "../servers/peers.ts";
import type { Suite, SuiteContext } from "./suite.ts";
import { type Entrant, versus } from "./versus.ts";

const PEERS = ["etcd", "redis", "bullmq", "postgres"];
const FSYNC = [false, true] as const;

function loadsFor({ isShort }: SuiteContext): { readonly inFlight: number }[] {
  return (isShort ? [1, 64] : [1, 16, 64, 256]).map((inFlight) => ({ inFlight }));
}

/** The floor comes first: the figures of the others are divided by its figures. */
function claimants({ floor, coordinator, peers }: Arena): Entrant[] {
  return [
    { rival: floor, scenario: "echo+write", title: "NATS: request + one write" },
    { rival: floor, scenario: "echo", title: "NATS: request" },
    { rival: floor, scenario: "write", title: "NATS: one write" },
    { rival: coordinator, scenario: "claim" },
    ...peers.map(entrantOf),
  ];
}

/** BullMQ cannot hand out a job by its id. It hands out the next one. */
function entrantOf(rival: PeerRival): Entrant {
  if (rival.peer.scenarios.includes("claim")) return { rival, scenario: "claim" };
  return { rival, scenario: "next", title: `${rival.title}: the next one` };
}

export const claims: Suite = {
  name: "claims",
  what: "claims by id, compared with NATS alone, etcd, Redis and PostgreSQL",
  async *run(context) {
    for (const fsync of FSYNC) {
      await using arena = await startArena({ ...context, fsync, peers: PEERS });
      yield await versus(context.effort, {
        id: `claims-${fsync ? "fsync" : "default"}`,
        title: `Claims of a given task each, ${fsync ? "on the disk before they are acknowledged" : "with the servers' usual durability"}`,
        durability: durabilitiesOf(arena.peers, fsync),
        entrants: claimants(arena),
        loads: loadsFor(context),
        unit: "claims",
      });
      if (fsync || context.isShort) continue;
      const rivals = [
        arena.coordinator,
        ...arena.peers.filter(({ peer }) => peer.scenarios.includes("contended")),
      ];
      yield await versus(context.effort, {
        id: "contended",
        title: "100 sessions claim the same task at the same time, one task after the other",
        notes: ["Each claim is answered. One in a hundred gets the task."],
        entrants: rivals.map((rival) => ({ rival, scenario: "contended" })),
        loads: [{ inFlight: 100 }],
        unit: "answers",
      });
    }
  },
};

export const cluster: Suite = {
  name: "cluster",
  what: "claims with three NATS nodes and three replicas",
  async *run(context) {
    for (const fsync of FSYNC) {
      await using arena = await startArena({ ...context, fsync, nodes: 3 });
      yield await versus(context.effort, {
        id: `cluster-${fsync ? "fsync" : "default"}`,
        title: `Claims with three nodes and three replicas, ${fsync ? "on the disk before they are acknowledged" : "with the servers' usual durability"}`,
        notes: ["All three nodes, the worker and the client share the cores of one machine."],
        entrants: claimants(arena),
        loads: loadsFor(context),
        unit: "claims",
      });
    }
  },
};

export const workers: Suite = {
  name: "workers",
  what: "claims with one, two, four and eight workers",
  async *run(context) {
    await using one = await startArena({ ...context, workers: 1 });
    await using two = await startArena({ ...context, workers: 2 });
    await using four = await startArena({ ...context, workers: 4 });
    await using eight = await startArena({ ...context, workers: 8 });
    const entrants = Object.entries({ 1: one, 2: two, 4: four, 8: eight }).map(
      ([count, { coordinator: rival }]): Entrant => {
        return { rival, scenario: "claim", title: `${OWN_TITLE}, workers: ${count}` };
      },
    );
    yield await versus(context.effort, {
      id: "workers",
      title: "Claims by the number of workers",
      notes: ["Workers help if there are cores for them: see the processor time of each part."],
      entrants,
      loads: [{ inFlight: 64 }, { inFlight: 256 }],
      unit: "claims",
    });
  },
};

/** For each contender, where an acknowledged write is. */
export function durabilitiesOf(peers: readonly PeerRival[], fsync: boolean): string[] {
  const of = (durability: Durability): string => (fsync ? durability.fsync : durability.relaxed);
  return [
    `NATS and ${OWN_TITLE}: an acknowledged write is ${of(NATS_DURABILITY)}.`,
    ...peers.map(({ peer }) => `${peer.title}: ${of(durabilityOf(peer))}. ${peer.note}`),
  ];
}
