/** `npm run chaos`: causes faults in a real cluster, and judges whether its guarantees hold. */
import { Cluster, nodeNamesOf } from "../lab/cluster.ts";
import { Disks } from "../lab/disks.ts";
import { FAULTS } from "../lab/faults/all.ts";
import { Network } from "../lab/network.ts";
import { sessionNames } from "../lab/workload.ts";
import { runScript, type Run } from "../lab/run-script.ts";
import { isStraceHere } from "../lab/slow-disk.ts";
import { type ChaosOptions, formatOptions, parseOptions, SCRIPT } from "./options.ts";
import { failures, formatResult, leaveEvidence } from "./report.ts";
import { type Result, runChaos } from "./run.ts";

await runScript({
  script: SCRIPT,
  parse: parseOptions,
  list: () => FAULTS.map(({ name }) => name),
  format: formatOptions,
  run: async (options, run) => {
    const result = await inCluster(options, run);
    console.log(formatResult(result));
    const isWell = failures(result).length === 0;
    if (!isWell) leaveEvidence(run.folder, result);
    return isWell;
  },
});

async function inCluster(options: ChaosOptions, run: Run): Promise<Result> {
  const { folder, tell } = run;
  const binary = await run.serverBinary();
  await using network = options.namespaces ? await Network.create() : null;
  if (network === null) tell("no network namespaces (they need root): links take their place");
  await using disks = await Disks.create(folder, nodeNamesOf(options.nodes));
  if (disks === null) tell("nothing can be mounted here (it needs root): no disk is full");
  const canSlowDisks = await isStraceHere();
  if (!canSlowDisks) tell("there is no strace here: no disk is slow");
  await using cluster = await Cluster.start({
    ...options,
    binary,
    folder,
    network,
    disks,
    canSlowDisks,
    ...(options.secured && { walledFrom: sessionNames(options.sessions) }),
  });
  return await run.untilInterrupted(runChaos(cluster, options, tell));
}
