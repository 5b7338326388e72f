/** `npm run chaos`: a real cluster under faults, and whether its guarantees held. */
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config.ts";
import { resolveServerBinary } from "../../src/nats-server/server-binary.ts";
import { optionsOrExit } from "../options/command-line.ts";
import { Cluster, nodeNamesOf } from "../lab/cluster.ts";
import { Disks } from "../lab/disks.ts";
import { FAULTS } from "../lab/faults/all.ts";
import { interrupted } from "../lab/interruption.ts";
import { Network } from "../lab/network.ts";
import { type ChaosOptions, formatOptions, parseOptions, SCRIPT } from "./options.ts";
import { failures, formatResult, leaveEvidence } from "./report.ts";
import { type Result, runChaos } from "./run.ts";
import { isStraceHere } from "../lab/slow-disk.ts";

const tell = (line: string): void => {
  console.error(line);
};

const options = optionsOrExit(SCRIPT, parseOptions);

try {
  if (options === null) console.log(FAULTS.map(({ name }) => name).join("\n"));
  else process.exitCode = await main(options);
} catch (error) {
  tell(error instanceof Error ? error.message : String(error));
  // A run that was interrupted still waits for what it had under way.
  process.exit(2);
}

/** @returns the exit code */
async function main(options: ChaosOptions): Promise<number> {
  const end = interrupted();
  const command = `npm run chaos -- ${formatOptions(options)}`;
  tell(command);
  const folder = mkdtempSync(join(tmpdir(), "if-coordinator-chaos-"));
  const result = await run(options, folder, end).catch((error: unknown) => {
    tell(`${folder} has the logs; repeat it with:\n  ${command}`);
    throw error;
  });
  console.log(formatResult(result));
  if (failures(result).length === 0) {
    rmSync(folder, { recursive: true, force: true });
    return 0;
  }
  leaveEvidence(folder, result);
  console.log(`${folder} has the history, timelines and logs; repeat it with:\n  ${command}`);
  return 1;
}

async function run(options: ChaosOptions, folder: string, end: Promise<never>): Promise<Result> {
  const binary = await resolveServerBinary({ ...loadConfig().dev, notify: tell });
  await using network = options.namespaces ? await Network.create() : null;
  if (network === null) tell("no network namespaces (they need root): links take their place");
  await using disks = await Disks.create(folder, nodeNamesOf(options.nodes));
  if (disks === null) tell("nothing can be mounted here (it needs root): no disk is full");
  const canSlowDisks = await isStraceHere();
  if (!canSlowDisks) tell("there is no strace here: no disk is slow");
  const firstPort = randomInt(10_000, 29_000);
  await using cluster = await Cluster.start({
    ...options,
    binary,
    folder,
    network,
    disks,
    canSlowDisks,
    firstPort,
  });
  return await Promise.race([runChaos(cluster, options, tell), end]);
}
