/** `npm run power-loss`: which acknowledged writes a loss of power takes, and what it costs to keep them. */
import { runScript } from "../lab/run-script.ts";
import { whyNoDisks } from "./disk.ts";
import { formatOptions, parseOptions, SCRIPT } from "./options.ts";
import { measurePrice } from "./price.ts";
import { formatOutcome } from "./report.ts";
import { runPowerLoss } from "./run.ts";

await runScript({
  script: SCRIPT,
  parse: parseOptions,
  format: formatOptions,
  run: async (options, run) => {
    const context = { binary: await run.serverBinary(), folder: run.folder, signal: run.signal };
    if (options.price) {
      console.table(await measurePrice(options, context));
      return true;
    }
    const problem = await whyNoDisks();
    if (problem !== null) throw new Error(problem);
    for (const line of formatOutcome(await runPowerLoss(options, context))) console.log(line);
    return true;
  },
});
