/** One run: nodes with their own disks, sessions that write, a loss of power, and what is left. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Cleanup } from "../../src/cleanup.ts";
import { createRandomFor } from "../../src/simulation/random.ts";
import { TaskConnection } from "../lab/clients.ts";
import { Cluster } from "../lab/cluster.ts";
import { stuckTasks } from "../lab/health.ts";
import { attemptsToldTwice, claimedWithoutLease, readTasks } from "./aftermath.ts";
import { Disk } from "./disk.ts";
import { type Losses, lossesIn } from "./losses.ts";
import type { PowerLossOptions } from "./options.ts";
import { failPower } from "./power.ts";
import { differing } from "./replicas.ts";
import { type Acknowledged, Writer } from "./writer.ts";

const WRITERS = 10;
const WORKERS = 2;
const ANSWER_MS = 90_000;
/** Much longer than the leases of the run. */
const QUIET_MS = 60_000;

export interface Outcome extends Losses {
  readonly acknowledged: number;
  /** Whether the servers no longer knew the bucket of the tasks, until a worker created it again. */
  readonly bucketForgotten: boolean;
  /** From the first node that could be reached to the first read of the tasks. */
  readonly readableMs: number;
  readonly claimedWithoutLease: number;
  /** The number of attempts that two sessions were told. */
  readonly toldTwice: number;
  /** The number of tasks that stay claimed forever. */
  readonly stuck: number;
  /** Buckets whose contents differ for good from node to node. */
  readonly differing: readonly string[];
  /** How often a node ended by itself. */
  readonly endings: number;
  /** What the nodes wrote about damage. */
  readonly complaints: readonly string[];
}

/** Stops and cleans up when the signal is aborted. */
export async function runPowerLoss(
  { nodes, sync, seed, seconds, victims }: PowerLossOptions,
  { binary, folder, signal }: { binary: string; folder: string; signal: AbortSignal },
): Promise<Outcome> {
  await using stack = new Cleanup();
  const disks = new Map<string, Disk>();
  for (let i = 1; i <= nodes; i++) {
    // The cluster stores the data of the node with this name there.
    const name = `n${i}`;
    disks.set(name, stack.use(await Disk.create(join(folder, name))));
  }
  signal.throwIfAborted();
  const cluster = stack.use(
    await Cluster.start({
      ...{ nodes, workers: WORKERS, binary, folder, network: null, figures: true, isDirect: true },
      serverConfig: sync === null ? "" : `jetstream { sync_interval: ${sync} }\n`,
    }),
  );
  const grid = { cluster, disks };
  const acknowledged: Acknowledged[] = [];
  const writing = write(cluster.urls, seed, acknowledged);
  let at: number;
  try {
    await Promise.race([writing.done, delay(seconds * 1000, undefined, { signal })]);
    at = await failPower(grid, victims, writing.stop);
  } finally {
    await writing.stop();
  }
  signal.throwIfAborted();

  const client = stack.use(await TaskConnection.open(cluster.urls, "aftermath"));
  const { connection, tasks } = client;
  const restoredAt = performance.now();
  const found = await readTasks(connection);
  const readableMs = performance.now() - restoredAt;
  const without = found === null ? 0 : await claimedWithoutLease(connection, found);
  signal.throwIfAborted();
  for (const worker of cluster.workers) worker.start();
  await cluster.untilAnswered(ANSWER_MS);
  // A bucket that the workers create again may find the data in its folder.
  const losses = lossesIn(acknowledged, found ?? (await readTasks(connection)) ?? [], at);
  return {
    ...losses,
    acknowledged: acknowledged.length,
    bucketForgotten: found === null,
    readableMs,
    claimedWithoutLease: without,
    toldTwice: await attemptsToldTwice(tasks, losses.attemptsBack),
    stuck: (await stuckTasks(tasks, QUIET_MS)).length,
    differing:
      nodes === 1 ? [] : await differing(cluster.nodes.map(({ name }) => cluster.figuresUrl(name))),
    endings: cluster.nodes.reduce((sum, { endings: { length } }) => sum + length, 0),
    complaints: complaintsIn(cluster.nodes.map(({ name }) => join(folder, `${name}.log`))),
  };
}

interface Writing {
  /** Rejects for an answer that no writer should ever get. */
  readonly done: Promise<unknown>;
  readonly stop: () => Promise<void>;
}

function write(urls: readonly string[], seed: number, acknowledged: Acknowledged[]): Writing {
  const end = new AbortController();
  const one = async (i: number): Promise<void> => {
    await using client = await TaskConnection.open(urls, `s${i}`);
    const random = createRandomFor(seed, i);
    await new Writer(client.tasks, `s${i}`, random, acknowledged).run(end.signal);
  };
  const done = Promise.all(Array.from({ length: WRITERS }, (_, i) => one(i + 1)));
  done.catch(() => undefined);
  const stop = async (): Promise<void> => {
    end.abort();
    await done;
  };
  return { done, stop };
}

/** Each kind of line once, without what differs from line to line. */
function complaintsIn(logs: readonly string[]): string[] {
  const lines = logs.flatMap((log) => [
    ...readFileSync(log, "utf8").matchAll(/\[(?:ERR|FTL|WRN)\] (.*)$/gm),
  ]);
  const texts = lines.map(([, text = ""]) => text);
  const damage = texts.filter((text) => /corrupt|recover|damag|checksum|reset/i.test(text));
  return [...new Set(damage.map((text) => text.replaceAll(/\d+|"[^"]*"|\[S-\S+\]/g, "_")))];
}
