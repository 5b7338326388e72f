/** docs/agents.md: the step of CI and the HTTP service that ask whether a claim still holds its task. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { CliProcess, runCli } from "../support/cli-process.ts";
import { codeBlocks, read, ROOT } from "../support/markdown.ts";
import { installCommand } from "../support/nats-cli.ts";
import { takePort } from "../../scripts/lab/ports.ts";
import { TempFolder } from "../support/temp-folder.ts";
import { TestCoordinator } from "../support/test-coordinator.ts";

const [message, step, service] = codeBlocks(read("docs/agents.md"))
  .filter(({ heading }) => heading === "CI and HTTP services")
  .map(({ text }) => text);

describe("docs/agents.md shows how to refuse what a stale holder publishes", () => {
  it("in CI", async () => {
    await using coordinator = await TestCoordinator.start();
    await using folder = await TempFolder.create();
    const git = (...args: string[]): unknown =>
      execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b.c", ...args], {
        cwd: folder.path,
      });
    git("init", "--quiet", ".");
    git("commit", "--quiet", "--allow-empty", "-m", message ?? "");
    await writeFile(join(folder.path, "deploy.sh"), "#!/bin/sh\necho deployed\n", { mode: 0o755 });
    const env = {
      PATH: [installCommand(folder.path), process.env.PATH].join(delimiter),
      NATS_URL: coordinator.server.url,
    };
    const run = (): ReturnType<typeof runCli> =>
      runCli([step ?? ""], { program: ["bash", "-c"], cwd: folder.path, env });
    await coordinator.ok("tasks.create.P1.1");
    await coordinator.ok("tasks.claim.P1.1", { session_id: "agent-one" });
    const held = await run();
    assert.equal(held.code, 0, held.stderr);
    assert.match(held.stdout, /^deployed$/m);
    await coordinator.ok("tasks.requeue.P1.1");
    await coordinator.ok("tasks.claim.P1.1", { session_id: "agent-two" });
    const lost = await run();
    assert.equal(lost.code, 4, lost.stderr);
    assert.doesNotMatch(lost.stdout, /deployed/);
  });

  it("in front of an HTTP service", async () => {
    await using coordinator = await TestCoordinator.start();
    await using folder = await TempFolder.create();
    const port = await takePort();
    const library = pathToFileURL(join(ROOT, "dist/src/index.js")).href;
    const program = (service ?? "")
      .replace('"if-coordinator"', JSON.stringify(library))
      .replace("nats://localhost:4222", coordinator.server.url)
      .replace("8080", String(port));
    const file = join(folder.path, "service.mjs");
    await writeFile(file, program);
    await using running = new CliProcess([file], { program: [process.execPath] });
    await running.waitFor(/^ready$/m);
    const statusFor = async (claim: string): Promise<number> => {
      const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { claim } });
      return response.status;
    };
    await coordinator.ok("tasks.create.P1.1");
    await coordinator.ok("tasks.claim.P1.1", { session_id: "agent-one" });
    assert.equal(await statusFor("P1.1#1"), 200);
    await coordinator.ok("tasks.requeue.P1.1");
    await coordinator.ok("tasks.claim.P1.1", { session_id: "agent-two" });
    assert.equal(await statusFor("P1.1#1"), 409);
    assert.equal(await statusFor("P1.1#2"), 200);
    for (const wrong of ["P9#1", "P1.1", "#", ""]) assert.equal(await statusFor(wrong), 503, wrong);
  });
});
