/** `npm run bench`: how fast the coordinator is, beside NATS alone and its peers, in one run. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeMachine } from "../scripts/lab/machine.ts";
import { optionsOrExit } from "../scripts/options/command-line.ts";
import { loadConfig } from "../src/config.ts";
import { resolveServerBinary } from "../src/nats-server/server-binary.ts";
import { type BenchOptions, parseOptions, SCRIPT } from "./options.ts";
import { putIntoDocument, save } from "./results.ts";
import { peerBinaries } from "./servers/peers.ts";
import { SUITES } from "./tables/suites.ts";
import { toMarkdown } from "./table.ts";

const tell = (line: string): void => {
  console.error(line);
};

const options = optionsOrExit(SCRIPT, parseOptions);

try {
  if (options === null) for (const { name, what } of SUITES) console.log(`${name}: ${what}`);
  else await main(options);
} catch (error) {
  tell(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 1;
}

async function main({ effort, isShort, isDocumented, only }: BenchOptions): Promise<void> {
  const suites = SUITES.filter(({ name }) => only.length === 0 || only.includes(name));
  const binary = await resolveServerBinary({ ...loadConfig().dev, notify: tell });
  const machine = await describeMachine({ "nats-server": binary, ...peerBinaries() });
  const measuredAt = new Date().toISOString();
  const folder = mkdtempSync(join(tmpdir(), "if-coordinator-bench-"));
  console.log(JSON.stringify(machine));
  try {
    for (const { name, run } of suites) {
      tell(`${name} ...`);
      for await (const table of run({ binary, folder, effort, isShort, tell })) {
        console.log(`\n## ${table.title}\n\n${toMarkdown(table)}`);
        if (!isShort) save(table, machine, measuredAt);
        if (isDocumented) putIntoDocument(table);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
