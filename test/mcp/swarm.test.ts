/** Many agents on one coordinator: some are killed, others close the input, and no task is done twice. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { it } from "node:test";
import { runCli } from "../support/cli-process.ts";
import { ROOT } from "../support/markdown.ts";
import { startHearing } from "../support/system-account.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { Swarm } from "./swarm.ts";

/** The tools, calls and replies of one task, in tokens. */
const MAX_TOKENS = 500;

it("a swarm of agents works off the tasks of the demo, and the history proves it", async (t) => {
  const file = join(ROOT, "examples/provider-integration.json");
  const tasks = JSON.parse(await readFile(file, "utf8")) as object[];
  await using coordinator = await startHearing({ settings: { history: 64, max_lost_leases: 0 } });
  await using temp = await TempFolder.create();
  await coordinator.ok("tasks.import", { tasks });
  const swarm = new Swarm(coordinator, { servers: 8, victims: 2, folder: temp.path });
  await swarm.run();
  assert.equal(swarm.finished, tasks.length);
  const tokens = Math.ceil(swarm.tokensPerTask);
  t.diagnostic(`${tokens} tokens for each task`);
  assert.ok(tokens <= MAX_TOKENS, `${tokens} tokens for each task`);
  const { tasks: counts, sessions } = await coordinator.ok("tasks.stats");
  assert.deepEqual([counts.complete, counts.claimed], [tasks.length, 0]);
  assert.ok(sessions <= 2, "only the sessions of killed servers may still be registered");
  const proof = await runCli(["prove", "--json", "--nats", coordinator.server.url]);
  assert.deepEqual([proof.code, JSON.parse(proof.stdout).ok], [0, true], proof.stderr);
});
