/** `npm run chaos`: a real cluster under faults, and the proof that its promises held. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { randomInt } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "../../src/config.ts";
import { resolveServerBinary } from "../../src/nats/server-binary.ts";
import { Cluster } from "./cluster.ts";
import { Network } from "./network.ts";
import { parseOptions } from "./options.ts";
import { runChaos } from "./run.ts";

const tell = (line: string): void => {
  console.error(line);
};

const options = parseOptions(process.argv.slice(2));
const { seed, nodes, workers, sessions, durationMs } = options;
const command = `npm run chaos -- --seed ${seed} --nodes ${nodes} --workers ${workers} --sessions ${sessions} --duration ${durationMs / 1000}s`;
tell(command);
const folder = mkdtempSync(join(tmpdir(), "if-coordinator-chaos-"));
const binary = await resolveServerBinary({ ...loadConfig().dev, notify: tell });
const network = await Network.create();
if (network === null) tell("no network namespaces here (they need root): nothing is cut off");
const firstPort = randomInt(10_000, 29_000);
let passed = false;
try {
  await using cluster = await Cluster.start({ ...options, binary, folder, network, firstPort });
  const { problems, recording, faults } = await runChaos(cluster, options, tell);
  passed = problems.length === 0;
  for (const { guarantee, taskId, what } of problems) {
    console.log(`✘ ${guarantee}: ${taskId ?? ""} ${what}`);
  }
  const unknown = recording.operations.filter(({ returnedAt }) => returnedAt === Infinity).length;
  console.log(
    `${recording.operations.length} operations (${unknown} without an answer), ` +
      `${recording.updates.length} transitions, ${faults.length} faults: ` +
      (passed ? "every guarantee held" : `${problems.length} problems`),
  );
  if (!passed) {
    writeFileSync(join(folder, "operations.json"), JSON.stringify(recording.operations, null, 1));
    writeFileSync(join(folder, "updates.json"), JSON.stringify(recording.updates, null, 1));
    console.log(`${folder} has the history and the logs; repeat it with:\n  ${command}`);
  }
} finally {
  await network?.[Symbol.asyncDispose]();
  if (passed) rmSync(folder, { recursive: true, force: true });
}
process.exitCode = passed ? 0 : 1;
