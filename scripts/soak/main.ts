/** `npm run soak`: a long run under load and faults, and whether anything grows without bound. */
import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config.ts";
import { resolveServerBinary } from "../../src/nats-server/server-binary.ts";
import { VERSION } from "../../src/version.ts";
import { Cluster } from "../lab/cluster.ts";
import { figuresUrl } from "../lab/figures-address.ts";
import { Network } from "../lab/network.ts";
import { optionsOrExit } from "../options/command-line.ts";
import { formatOptions, parseOptions, SCRIPT, type SoakOptions } from "./options.ts";
import { formatTable, growing, renderReport, summary } from "./report.ts";
import { type Result, runSoak } from "./run.ts";

/** So short that a run sees finished tasks go as they come. */
const [SHORTEST_RETENTION_SECONDS, LONGEST_RETENTION_SECONDS] = [5, 30];

const tell = (line: string): void => {
  console.error(line);
};

const options = optionsOrExit(SCRIPT, parseOptions);

try {
  process.exitCode = await main(options);
} catch (error) {
  tell(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}

/** @returns the exit code */
async function main(options: SoakOptions): Promise<number> {
  if (process.platform !== "linux")
    throw new Error("what processes take is read from /proc: Linux only");
  const command = `npm run soak -- ${formatOptions(options)}`;
  tell(command);
  const startedAt = new Date();
  const folder = mkdtempSync(join(tmpdir(), "if-coordinator-soak-"));
  const binary = await resolveServerBinary({ ...loadConfig().dev, notify: tell });
  const result = await run(options, binary, folder).catch((error: unknown) => {
    tell(`${folder} has the logs`);
    throw error;
  });
  const nats = execFileSync(binary, ["--version"], { encoding: "utf8" }).trim();
  const versions = { "if-coordinator": VERSION, Node: process.version, NATS: nats };
  writeFileSync(options.report, renderReport(result, { command, versions, startedAt }));
  console.log(`${formatTable(result)}\n\n${summary(result)}\n${options.report} has the charts`);
  if (growing(result).length === 0) {
    rmSync(folder, { recursive: true, force: true });
    return 0;
  }
  tell(`${folder} has the logs`);
  return 1;
}

async function run(options: SoakOptions, binary: string, folder: string): Promise<Result> {
  const { nodes, workers } = options;
  const network = await Network.create();
  if (network === null) tell("no network namespaces here (they need root): nothing is cut off");
  const firstPort = randomInt(10_000, 29_000);
  const retentionSeconds = retentionFor(options);
  const settings = {
    IF_COORDINATOR_HISTORY: "16",
    IF_COORDINATOR_RETENTION_SECONDS: String(retentionSeconds),
    IF_COORDINATOR_SESSION_TTL_SECONDS: "10",
  };
  const place = { nodes, workers, binary, folder, network, firstPort };
  // What the links keep open would be judged as well.
  const clusterOptions = { ...place, settings, figures: true, isDirect: network !== null };
  try {
    await using cluster = await Cluster.start(clusterOptions);
    const urlOf = (name: string): string => figuresUrl(clusterOptions, name);
    const target = { cluster, figuresUrl: urlOf, retentionSeconds };
    return await runSoak(target, options, tell);
  } finally {
    await network?.[Symbol.asyncDispose]();
  }
}

function retentionFor({ durationMs }: SoakOptions): number {
  const share = Math.round(durationMs / 20_000);
  return Math.min(Math.max(SHORTEST_RETENTION_SECONDS, share), LONGEST_RETENTION_SECONDS);
}
