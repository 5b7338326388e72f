/** Each fault in a small cluster: it happens, it is repaired, and the coordinator answers afterwards. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { TaskClient } from "../../src/client/task-client.ts";
import { connectNats } from "../../src/nats/connection.ts";
import { createRequester } from "../../src/nats/request.ts";
import { Cluster, nodeNamesOf } from "../../scripts/lab/cluster.ts";
import { Disks } from "../../scripts/lab/disks.ts";
import { endingProblems, untilAllAnswer } from "../../scripts/lab/health.ts";
import { FAULTS, possibleFaults } from "../../scripts/lab/faults/all.ts";
import { leaderOf } from "../../scripts/lab/leader.ts";
import { Network } from "../../scripts/lab/network.ts";
import { isStraceHere, slowDisk } from "../../scripts/lab/slow-disk.ts";
import { serverBinary } from "../support/nats-server.ts";

const RECOVERY_MS = 40_000;
/** Makes every fault short, and selects the first of everything. */
const random = (): number => 0.12;

for (const namespaces of [true, false]) {
  describe(`faults ${namespaces ? "with everything that this machine allows" : "on one host"}`, () => {
    const opened: AsyncDisposable[] = [];
    let folder = "";
    let cluster: Cluster;
    let disks: Disks | null = null;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "chaos-faults-"));
      const network = namespaces ? await Network.create() : null;
      disks = namespaces ? await Disks.create(folder, nodeNamesOf(3)) : null;
      opened.push(...[network, disks].filter((one) => one !== null));
      cluster = await Cluster.start({
        ...{ nodes: 3, workers: 2, seed: 1, folder, network, disks },
        binary: await serverBinary(),
        canSlowDisks: namespaces && (await isStraceHere()),
      });
      opened.push(cluster);
    });

    after(async () => {
      for (const one of opened.reverse()) await one[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    });

    for (const fault of FAULTS) {
      const { name } = fault;
      // The short pauses show the same in less time.
      if (name.endsWith("for long")) continue;
      it(name, async (test) => {
        if (!possibleFaults(cluster, null).includes(fault)) {
          test.diagnostic("not on this machine");
          return;
        }
        await fault.run(cluster, random);
        await cluster.untilConnected();
        await cluster.untilAnswered(RECOVERY_MS);
      });
    }

    it("find the leader", async () => {
      const leader = await leaderOf("tasks", cluster.urls);
      assert.ok(nodeNamesOf(3).includes(leader ?? ""), String(leader));
    });

    it("can make a disk full", async (test) => {
      if (disks === null) {
        test.diagnostic("not on this machine");
        return;
      }
      const write = (): void => {
        writeFileSync(join(folder, "n1", "more"), Buffer.alloc(1024 * 1024));
      };
      await disks.fill("n1");
      assert.throws(write, { code: "ENOSPC" });
      await disks.free("n1");
      write();
    });

    it("can move the clocks of the workers", async () => {
      const hourMs = 3_600_000;
      for (const worker of cluster.workers) worker.tell({ clockOffsetMs: hourMs });
      const connection = await connectNats({ servers: cluster.urls });
      const tasks = new TaskClient(createRequester(connection));
      // The message and the request take different ways.
      await delay(200);
      const { task } = await tasks.create("late", {});
      await connection.close();
      for (const worker of cluster.workers) worker.tell({ clockOffsetMs: 0 });
      assert.ok(Date.parse(task.created_at) - Date.now() > hourMs / 2, task.created_at);
    });

    it("end no process that has served", () => {
      assert.deepEqual(endingProblems(cluster, 0), []);
    });
  });
}

describe("a cluster of one node", () => {
  let folder = "";
  let cluster: Cluster;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "chaos-faults-"));
    cluster = await Cluster.start({
      ...{ nodes: 1, workers: 1, seed: 1, folder, network: null, disks: null },
      binary: await serverBinary(),
      canSlowDisks: false,
    });
  });

  after(async () => {
    await cluster[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it("says which worker does not answer, in which state it is, and how its log ends", async () => {
    for (const worker of cluster.workers) worker.pause();
    const [problem] = await untilAllAnswer(cluster.urls, cluster.workers, 0);
    for (const worker of cluster.workers) worker.resume();
    const log = join(folder, "w1.log");
    const shown = new RegExp(
      `^0 of 1 workers are there\nw1 is process \\d+ \\(T \\(stopped\\)\\), and ${log} ends with\n  \\{.*"msg":`,
    );
    assert.match(problem?.what ?? "", shown);
    assert.deepEqual(await untilAllAnswer(cluster.urls, cluster.workers, RECOVERY_MS), []);
  });

  it("is slow while its disk is slow, and recovers", async (test) => {
    if (!(await isStraceHere())) {
      test.diagnostic("there is no strace");
      return;
    }
    const delayMs = 300;
    const end = await slowDisk(cluster.nodes[0]?.pid ?? 0, delayMs);
    // At least two writes, one after the other.
    assert.ok((await cluster.untilAnswered(RECOVERY_MS)) >= 2 * delayMs);
    await end();
    await cluster.untilAnswered(RECOVERY_MS);
  });

  it("restarts a process that ended by itself, and reports a problem", async () => {
    process.kill(cluster.workers[0]?.pid ?? 0, "SIGKILL");
    await cluster.untilAnswered(RECOVERY_MS);
    const [problem, ...others] = endingProblems(cluster, performance.now());
    assert.match(problem?.what ?? "", /^w1 has ended by itself \(SIGKILL\)/);
    assert.deepEqual(others, []);
  });
});
