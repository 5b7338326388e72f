/** `npm run attack`: what one agent with valid credentials can do to the others. */
import { writeFileSync } from "node:fs";
import type { Visibility } from "../../src/protocol/visibility.ts";
import { describeMachine } from "../lab/machine.ts";
import { type Run, runScript } from "../lab/run-script.ts";
import { Build } from "./build.ts";
import { type AttackOptions, listOfRows, parseOptions, SCRIPT } from "./options.ts";
import { describeRow, isFailure, tableOf } from "./report.ts";
import { ROWS } from "./rows.ts";
import { type RowResult, runRow } from "./run-row.ts";
import type { Row } from "./row.ts";
import { makeSecured, OPEN, type SetUp } from "./set-up.ts";

await runScript({
  script: SCRIPT,
  parse: parseOptions,
  list: listOfRows,
  run: async (options, run) => {
    const binary = await run.serverBinary();
    const results = await attackAll(options, binary, run);
    const machine = await describeMachine({ "nats-server": binary });
    console.log(`${options.seconds} s each; ${JSON.stringify(machine)}`);
    for (const line of tableOf(results)) console.log(line);
    if (options.json !== null) {
      writeFileSync(options.json, JSON.stringify({ machine, options, results }, null, 2));
    }
    return !results.some(isFailure);
  },
});

async function attackAll(
  options: AttackOptions,
  binary: string,
  run: Run,
): Promise<readonly RowResult[]> {
  const { rows, modes, seconds, short, untimed, dist } = options;
  const build = await Build.open(dist);
  const results: RowResult[] = [];
  const { folder } = run;
  const secured = new Map<Visibility, SetUp>();
  const setUpFor = async ({ visibility = "all" }: Row): Promise<SetUp> => {
    const setUp = secured.get(visibility) ?? (await makeSecured(build.command, folder, visibility));
    secured.set(visibility, setUp);
    return setUp;
  };
  for (const mode of modes) {
    for (const row of ROWS) {
      if (!rows.includes(row.name)) continue;
      const setUp = mode === "open" ? OPEN : await setUpFor(row);
      run.tell(`${row.name}, ${mode}: ${row.does} ...`);
      const around = { build, setUp, binary, folder, short, untimed, ms: seconds * 1000 };
      const result = await run.untilInterrupted(runRow(row, around));
      for (const line of describeRow(result)) run.tell(line);
      results.push(result);
    }
  }
  return results;
}
