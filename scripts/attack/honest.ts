/** The process of the honest sessions. Its argument: the options of each, as JSON. */
import { argumentsFromParent, serve } from "../lab/child.ts";
import { HonestAgent, type HonestOptions, type HonestReport, type Phase } from "./honest-agent.ts";

const [text = "[]"] = argumentsFromParent("npm run attack");
const options = JSON.parse(text) as readonly HonestOptions[];
const agents = await Promise.all(options.map((one) => HonestAgent.open(one)));
let report: Promise<readonly HonestReport[]> | null = null;

const methods = {
  start: async (): Promise<void> => {
    await Promise.all(agents.map((agent) => agent.start()));
  },
  enter: (phase: Phase): void => {
    for (const agent of agents) agent.phase = phase;
  },
  stop: async (): Promise<HonestReport> => {
    const reports = await (report ??= Promise.all(agents.map((agent) => agent.stop())));
    return {
      samples: reports.flatMap(({ samples }) => samples),
      lost: reports.flatMap(({ lost }) => lost),
    };
  },
};
export type HonestMethods = typeof methods;

serve(methods, methods.stop);
