/** `npm run chaos`: a real cluster under faults, and whether its guarantees held. */
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config.ts";
import { resolveServerBinary } from "../../src/nats/server-binary.ts";
import { Cluster } from "./cluster.ts";
import { Network } from "./network.ts";
import { type ChaosOptions, formatOptions, parseOptions } from "./options.ts";
import { failures, formatResult, leaveEvidence } from "./report.ts";
import { type Result, runChaos } from "./run.ts";

const tell = (line: string): void => {
  console.error(line);
};

try {
  process.exitCode = await main(parseOptions(process.argv.slice(2)));
} catch (error) {
  tell(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}

/** @returns the exit code */
async function main(options: ChaosOptions): Promise<number> {
  const command = `npm run chaos -- ${formatOptions(options)}`;
  tell(command);
  const folder = mkdtempSync(join(tmpdir(), "if-coordinator-chaos-"));
  const result = await run(options, folder).catch((error: unknown) => {
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

async function run(options: ChaosOptions, folder: string): Promise<Result> {
  const binary = await resolveServerBinary({ ...loadConfig().dev, notify: tell });
  const network = await Network.create();
  if (network === null) tell("no network namespaces here (they need root): nothing is cut off");
  const firstPort = randomInt(10_000, 29_000);
  try {
    await using cluster = await Cluster.start({ ...options, binary, folder, network, firstPort });
    return await runChaos(cluster, options, tell);
  } finally {
    await network?.[Symbol.asyncDispose]();
  }
}
