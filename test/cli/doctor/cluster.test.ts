/** What doctor says of a cluster of three nodes, before and after one of them ends. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Cluster } from "../../../scripts/lab/cluster.ts";
import { serverBinary } from "../../support/nats-server.ts";
import { TempFolder } from "../../support/temp-folder.ts";
import { diagnose, type Diagnosis, textOf } from "./diagnose.ts";

describe("if-coordinator doctor, for a cluster", () => {
  it("finds a node that is down and the sync interval of the others", async () => {
    await using folder = await TempFolder.create();
    await using cluster = await Cluster.start({
      ...{ nodes: 3, workers: 1, binary: await serverBinary(), folder: folder.path, network: null },
      ...{ isDirect: true, figures: true },
    });
    const ask = (): Promise<Diagnosis> =>
      diagnose(
        cluster.urls.join(","),
        ...["--monitor", cluster.figuresUrl("n1"), "--http", cluster.figuresUrl("w1")],
      );
    // Right after the start, a replica can still be behind.
    const good = await until(ask, ({ bad }) => !bad.includes("replica_missing"));
    // The nodes of the tests have the default interval.
    assert.deepEqual([good.code, good.bad], [0, ["sync_slow"]], JSON.stringify(good.findings));
    assert.match(textOf(good, "sync_slow"), /sync_interval is 2m: if several servers lose power/);
    const verdicts = new Map(good.findings.map(({ check, text }) => [check, text]));
    assert.match(verdicts.get("server version") ?? "", /on all of 3 servers/);
    assert.match(verdicts.get("replicas") ?? "", /3 current replicas .* the loss of 1 server$/);
    assert.match(verdicts.get("health") ?? "", /^1 worker at .* is ready$/);

    await cluster.nodes[2]?.stop();
    // Its former leaders are replaced, and then it counts as lost.
    const degraded = await until(ask, ({ bad }) => bad.includes("replica_missing"));
    assert.match(textOf(degraded, "server_down"), /nothing listens there/);
    assert.match(textOf(degraded, "replica_missing"), /n3 is (offline|not current)/);
    assert.ok(!degraded.bad.includes("connection_refused"));
  });
});

/** Asks again, at most 20 times: NATS gives no signal for its view of a node. */
async function until(
  ask: () => Promise<Diagnosis>,
  fits: (diagnosis: Diagnosis) => boolean,
): Promise<Diagnosis> {
  let diagnosis = await ask();
  for (let tries = 1; tries < 20 && !fits(diagnosis); tries++) diagnosis = await ask();
  return diagnosis;
}
