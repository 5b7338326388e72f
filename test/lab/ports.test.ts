import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { once } from "node:events";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { HOST, takePorts } from "../../scripts/lab/ports.ts";

/** Nothing else takes ports between 30,000 and those of clients, but another run of this test. */
const FIRST = randomInt(30_000, 32_700);
const PORTS = [FIRST, FIRST + 4] as const;
const MODULE = new URL("../../scripts/lab/ports.js", import.meta.url).href;

async function takenByAnotherProcess(): Promise<number> {
  const program = `import { takePorts } from "${MODULE}";
    console.log(await takePorts(1, ${JSON.stringify(PORTS)}));`;
  const args = ["--input-type=module", "--eval", program];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Number(stdout);
}

describe("a port that a process has taken", () => {
  it("is free for its servers, and is no other process's until the process ends", async () => {
    const first = await takePorts(2, PORTS);
    const third = await takePorts(1, PORTS);
    const all = [FIRST, FIRST + 1, FIRST + 2, FIRST + 3];
    const others = all.filter((port) => ![first, first + 1, third].includes(port));
    assert.equal(others.length, 1);
    assert.equal(await takenByAnotherProcess(), others[0]);

    await using listening = createServer().listen(others[0], HOST);
    await once(listening, "listening");
    await assert.rejects(takePorts(1, PORTS), { code: "EADDRINUSE" });
    for (const port of [first, first + 1, third]) {
      await using server = createServer().listen(port, HOST);
      await once(server, "listening");
    }
  });
});
