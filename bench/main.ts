/** `npm run bench`: how fast the coordinator is, compared with NATS alone and its peers. */
import { describeMachine } from "../scripts/lab/machine.ts";
import { type Run, runScript } from "../scripts/lab/run-script.ts";
import { type BenchOptions, parseOptions, SCRIPT } from "./options.ts";
import { endPlaces } from "./place.ts";
import { putIntoDocument, save } from "./results.ts";
import { peerBinaries } from "./servers/peers.ts";
import { toMarkdown } from "./table.ts";
import { SUITES } from "./tables/suites.ts";

await runScript({
  script: SCRIPT,
  parse: parseOptions,
  list: () => SUITES.map(({ name, what }) => `${name}: ${what}`),
  run: async (options, run) => {
    try {
      await run.untilInterrupted(measure(options, run));
      return true;
    } finally {
      if (run.signal.aborted) await endPlaces();
    }
  },
});

async function measure(
  { effort, isShort, isDocumented, only }: BenchOptions,
  context: Run,
): Promise<void> {
  const suites = SUITES.filter(({ name }) => only.length === 0 || only.includes(name));
  const { folder, tell } = context;
  const binary = await context.serverBinary();
  const machine = await describeMachine({ "nats-server": binary, ...peerBinaries() });
  const measuredAt = new Date().toISOString();
  console.log(JSON.stringify(machine));
  for (const { name, run } of suites) {
    tell(`${name} ...`);
    for await (const table of run({ binary, folder, effort, isShort, tell })) {
      console.log(`\n## ${table.title}\n\n${toMarkdown(table)}`);
      if (!isShort) save(table, machine, measuredAt);
      if (isDocumented) putIntoDocument(table);
    }
  }
}
