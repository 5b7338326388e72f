/** `npm run power-loss`: what a loss of power takes of what was acknowledged, and what it costs to prevent it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config.ts";
import { resolveServerBinary } from "../../src/nats-server/server-binary.ts";
import { optionsOrExit } from "../options/command-line.ts";
import { whyNoDisks } from "./disk.ts";
import { formatOptions, parseOptions, type PowerLossOptions, SCRIPT } from "./options.ts";
import { measurePrice } from "./price.ts";
import { formatOutcome } from "./report.ts";
import { runPowerLoss } from "./run.ts";

const tell = (line: string): void => {
  console.error(line);
};

const options = optionsOrExit(SCRIPT, parseOptions);

/** A signal lets the run put away what it mounted and started; another one does not keep it from that. */
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) return;
    tell("stopping: unmounting the disks ...");
    stop.abort(new Error("stopped"));
  });
}

try {
  await main(options);
} catch (error) {
  tell(error instanceof Error ? error.message : String(error));
  process.exitCode = stop.signal.aborted ? 130 : 2;
}

async function main(options: PowerLossOptions): Promise<void> {
  const binary = await resolveServerBinary({ ...loadConfig().dev, notify: tell });
  const folder = mkdtempSync(join(tmpdir(), "if-coordinator-power-"));
  const context = { binary, folder, signal: stop.signal };
  try {
    if (options.price) {
      console.table(await measurePrice(options, context));
      return;
    }
    const problem = await whyNoDisks();
    if (problem !== null) throw new Error(problem);
    tell(`npm run power-loss -- ${formatOptions(options)}`);
    const outcome = await runPowerLoss(options, context);
    for (const line of formatOutcome(outcome)) console.log(line);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
