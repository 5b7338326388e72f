/**
 * A contender is a program that takes part in a comparison. It does what a user of the coordinator or of a
 * peer would do, in a process of its own, so that the clients of other contenders do not slow it down.
 */
import { argumentsFromParent, serve } from "../scripts/lab/child.ts";
import { type Load, type Measured, type Operate, runLoad } from "./load.ts";

/**
 * What is measured. `claim`: each operation claims a task of its own, by id; `contended`: all claim the
 * same task; `next`: each takes the next tasks, as many as `batch` says; `complete`: `next`, then the
 * completion of each task, or the completion that also takes the next task, if the contender has that.
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

/** Prepares a round, which is not measured, and returns the operation that is. */
export type Prepare = (round: Round) => Operate | Promise<Operate>;

export interface Contender {
  readonly scenarios: Readonly<Partial<Record<Scenario, Prepare>>>;
  readonly close: () => Promise<unknown>;
}

/** The arguments of the program of a contender, such as the URLs of its servers. */
export function contenderArguments(): string[] {
  return argumentsFromParent("npm run bench");
}

export type ContenderMethods = ReturnType<typeof methodsOf>;

export function serveContender(contender: Contender): void {
  serve(methodsOf(contender), contender.close);
}

function methodsOf({ scenarios }: Contender) {
  let play = (): Promise<Measured> => Promise.reject(new Error("no round is prepared"));
  return {
    prepare: async (round: Round) => {
      const prepare = scenarios[round.scenario];
      if (prepare === undefined) throw new Error(`no scenario ${round.scenario}`);
      const operate = await prepare(round);
      play = () => runLoad(operate, round);
    },
    play: () => play(),
  };
}
