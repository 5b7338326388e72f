/** What doctor says of a secured set-up, with the credentials of the workers, of an operator and of an agent. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Cleanup } from "../../../src/cleanup.ts";
import { runCli } from "../../support/cli-process.ts";
import { SecuredServer } from "../../support/secured-server.ts";
import { startWorker } from "../../support/secured-worker.ts";
import { diagnose } from "./diagnose.ts";

describe("if-coordinator doctor, for a secured set-up", () => {
  it("finds no problem with the credentials of the workers, which race can use as well", async () => {
    await using secured = await SecuredServer.start();
    await using cleanup = new Cleanup();
    const { folder, server } = secured;
    await startWorker(cleanup, {
      "nats.servers": [server.url],
      "nats.creds_file": folder.credentialsFile("worker"),
      "nats.system_creds_file": folder.credentialsFile("reports"),
      "auth.mode": "accounts",
    });
    const worker = await diagnose(server.url, "--creds", folder.credentialsFile("worker"));
    const problems = worker.findings.filter(({ verdict }) => verdict === "problem");
    assert.deepEqual(problems, []);
    assert.equal(worker.code, 0);
    const race = await runCli([
      ...["race", "--tasks", "2", "--sessions", "3", "--nats", server.url],
      ...["--creds", folder.credentialsFile("worker")],
    ]);
    assert.equal(race.code, 0, race.stderr);
    await secured.add("s1");
    const agent = await diagnose(server.url, "--creds", folder.credentialsFile("s1"));
    const text = agent.findings.find(({ check }) => check === "permissions")?.text ?? "";
    assert.match(text, /as an agent, without the operations for operators/);
    for (const check of ["buckets", "replicas", "audit", "leases", "claims"]) {
      const {
        code,
        text: why,
        cure,
      } = agent.findings.find((finding) => finding.check === check) ?? {};
      assert.deepEqual(
        [code, why],
        ["not_permitted", "not checked, because this account has no JetStream, and so no buckets"],
        check,
      );
      assert.match(cure ?? "", /nothing for a session; .* with worker\.creds/);
    }
  });
});
