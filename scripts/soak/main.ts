/** `npm run soak`: a long run under load and faults, which shows whether anything grows without bound. */
import { writeFileSync } from "node:fs";
import { Cluster } from "../lab/cluster.ts";
import { describeMachine } from "../lab/machine.ts";
import { Network } from "../lab/network.ts";
import { type Run, runScript } from "../lab/run-script.ts";
import { formatOptions, parseOptions, SCRIPT, type SoakOptions } from "./options.ts";
import { formatTable, growing, renderReport, summary } from "./report.ts";
import { type Result, runSoak } from "./run.ts";

/** So short that finished tasks are removed during the run. */
const [SHORTEST_RETENTION_SECONDS, LONGEST_RETENTION_SECONDS] = [5, 30];

await runScript({
  script: SCRIPT,
  parse: parseOptions,
  format: formatOptions,
  run: async (options, run) => {
    if (process.platform !== "linux")
      throw new Error("what processes take is read from /proc: Linux only");
    const startedAt = new Date();
    const binary = await run.serverBinary();
    const result = await inCluster(options, binary, run);
    const { versions } = await describeMachine({ "nats-server": binary });
    const facts = { command: run.repeatedBy ?? "", versions, startedAt };
    writeFileSync(options.report, renderReport(result, facts));
    console.log(`${formatTable(result)}\n\n${summary(result)}\n${options.report} has the charts`);
    return growing(result).length === 0;
  },
});

async function inCluster(options: SoakOptions, binary: string, run: Run): Promise<Result> {
  const { nodes, workers } = options;
  const { folder, tell } = run;
  await using network = await Network.create();
  if (network === null) tell("no network namespaces here (they need root): nothing is cut off");
  const retentionSeconds = retentionFor(options);
  const settings = {
    IF_COORDINATOR_HISTORY: "16",
    IF_COORDINATOR_RETENTION_SECONDS: String(retentionSeconds),
    IF_COORDINATOR_SESSION_TTL_SECONDS: "10",
  };
  const place = { nodes, workers, binary, folder, network };
  // Without links where possible: this process has their descriptors, and is judged as well.
  const isDirect = network !== null;
  await using cluster = await Cluster.start({ ...place, settings, figures: true, isDirect });
  return await run.untilInterrupted(runSoak({ cluster, retentionSeconds }, options, tell));
}

function retentionFor({ durationMs }: SoakOptions): number {
  const share = Math.round(durationMs / 20_000);
  return Math.min(Math.max(SHORTEST_RETENTION_SECONDS, share), LONGEST_RETENTION_SECONDS);
}
