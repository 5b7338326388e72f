/** `npm run recovery`: how long it takes until everything is as before, measured on a real cluster. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config.ts";
import { resolveServerBinary } from "../../src/nats-server/server-binary.ts";
import { describeMachine } from "../lab/machine.ts";
import { optionsOrExit } from "../options/command-line.ts";
import { Bench } from "./bench.ts";
import { measureColdStart } from "./cold-start.ts";
import { measureExpiry } from "./expiry.ts";
import { faultsFor, measureFault } from "./faults.ts";
import { parseOptions, type RecoveryOptions, SCRIPT } from "./options.ts";
import { type Row, summarize, type Summary } from "./rows.ts";

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

/** @returns the exit code: 1 if anything that was acknowledged is lost */
async function main(options: RecoveryOptions): Promise<number> {
  const binary = await resolveServerBinary({ ...loadConfig().dev, notify: tell });
  const folder = mkdtempSync(join(tmpdir(), "if-coordinator-recovery-"));
  try {
    const rows = await measure(options, { binary, folder });
    const machine = await describeMachine({ "nats-server": binary });
    const { nodes, workers } = options;
    console.log(
      `${nodes} NATS node(s), ${workers} workers, 50 claims/s; ${JSON.stringify(machine)}`,
    );
    console.table(rows);
    if (options.json !== null) {
      writeFileSync(options.json, JSON.stringify({ machine, nodes, workers, rows }, null, 2));
    }
    return rows.some(({ unit, max }) => unit === "writes" && max > 0) ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function measure(
  { nodes, workers, rounds, tasks, only }: RecoveryOptions,
  place: { readonly binary: string; readonly folder: string },
): Promise<readonly Summary[]> {
  const of = { nodes, workers, ...place };
  const isWanted = (name: string): boolean =>
    only.length === 0 || only.some((word) => name.includes(word));
  const rows: Summary[] = [];
  const add = async (name: string, measured: () => Promise<readonly Row[]>): Promise<void> => {
    if (!isWanted(name)) return;
    tell(`${name} ...`);
    const summaries = (await measured()).map(summarize);
    for (const { what, median, min, max, unit } of summaries) {
      tell(`  ${what}: ${median} ${unit} (${min} to ${max})`);
    }
    rows.push(...summaries);
  };
  /** Each begins without the tasks of the one before. */
  const onBench = async (measured: (bench: Bench) => Promise<Row[]>): Promise<Row[]> => {
    await using bench = await Bench.start(of);
    return await measured(bench);
  };
  await add("dead session", () => onBench((bench) => measureExpiry(bench, rounds)));
  for (const fault of faultsFor(nodes)) {
    await add(fault.name, () => onBench((bench) => measureFault(bench, fault, rounds)));
  }
  for (const count of [Math.floor(tasks / 10), tasks]) {
    await add("cold start", () => measureColdStart(of, count, rounds));
  }
  return rows;
}
