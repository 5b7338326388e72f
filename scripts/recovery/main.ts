/** `npm run recovery`: measures how long a real cluster takes to recover from each fault. */
import { writeFileSync } from "node:fs";
import { describeMachine } from "../lab/machine.ts";
import { type Run, runScript } from "../lab/run-script.ts";
import { Bench, type Row, summarize, type Summary } from "./bench.ts";
import { measureColdStart } from "./cold-start.ts";
import { measureExpiry } from "./expiry.ts";
import { faultsFor, measureFault } from "./faults.ts";
import { parseOptions, type RecoveryOptions, SCRIPT } from "./options.ts";

await runScript({
  script: SCRIPT,
  parse: parseOptions,
  run: async (options, run) => {
    const binary = await run.serverBinary();
    const rows = await measure(options, binary, run);
    const machine = await describeMachine({ "nats-server": binary });
    const { nodes, workers } = options;
    console.log(
      `${nodes} NATS node(s), ${workers} workers, 50 claims/s; ${JSON.stringify(machine)}`,
    );
    console.table(rows);
    if (options.json !== null) {
      writeFileSync(options.json, JSON.stringify({ machine, nodes, workers, rows }, null, 2));
    }
    return rows.every(({ unit, max }) => unit !== "writes" || max === 0);
  },
});

async function measure(
  { nodes, workers, rounds, tasks, only }: RecoveryOptions,
  binary: string,
  run: Run,
): Promise<readonly Summary[]> {
  const of = { nodes, workers, binary, folder: run.folder };
  const isWanted = (name: string): boolean =>
    only.length === 0 || only.some((word) => name.includes(word));
  const rows: Summary[] = [];
  const add = async (name: string, measured: () => Promise<readonly Row[]>): Promise<void> => {
    if (!isWanted(name)) return;
    run.tell(`${name} ...`);
    const summaries = (await measured()).map(summarize);
    for (const { what, median, min, max, unit } of summaries) {
      run.tell(`  ${what}: ${median} ${unit} (${min} to ${max})`);
    }
    rows.push(...summaries);
  };
  /** Each measurement starts without the tasks of the one before. */
  const onBench = async (measured: (bench: Bench) => Promise<Row[]>): Promise<Row[]> => {
    await using bench = await Bench.start(of);
    return await run.untilInterrupted(measured(bench));
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
