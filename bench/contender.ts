/**
 * Who takes part in a comparison: a program that does what one of its users would, in a process of its
 * own, and that is told over Node's IPC channel what to do next. So all take turns within one run, and
 * none is slowed by the others' clients.
 */
import { serveOrders } from "./child.ts";
import { type Load, type Measured, type Operate, runLoad } from "./load.ts";

/**
 * What is measured. `claim`: of a given task each; `contended`: all of one task; `next`: of whatever is
 * there, as many at a time as `batch` says; `complete`: `next`, then the completion of each.
 */
export const SCENARIOS = [
  ...["echo", "write", "echo+write"],
  ...["claim", "contended", "next", "complete", "create", "import", "renew", "release"],
] as const;
export type Scenario = (typeof SCENARIOS)[number];

export interface Round extends Load {
  readonly scenario: Scenario;
  /** How many tasks each operation is about. Default 1. */
  readonly batch?: number;
}

/** Gets ready, which is not measured, and returns what is. */
export type Prepare = (round: Round) => Promise<Operate>;

export interface Contender {
  readonly scenarios: Readonly<Partial<Record<Scenario, Prepare>>>;
  close(): Promise<void>;
}

/** What a contender is told: to get ready for a round, and then to play it. */
export type ContenderOrder = Round | "go";

/** The other end of `ContenderProcess`. */
export function serveContender(contender: Contender): void {
  let prepared: { readonly round: Round; readonly operate: Operate } | null = null;
  const obey = async (order: ContenderOrder): Promise<Measured | null> => {
    if (order === "go") {
      if (prepared === null) throw new Error("no round is prepared");
      return await runLoad(prepared.operate, prepared.round);
    }
    const prepare = contender.scenarios[order.scenario];
    if (prepare === undefined) throw new Error(`no scenario ${order.scenario}`);
    prepared = { round: order, operate: await prepare(order) };
    return null;
  };
  serveOrders(obey, () => contender.close());
}
