/** One run: nodes on disks of their own, sessions that write, a loss of power, and what is left. */
import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { TaskClient } from "../../src/client/task-client.ts";
import { connectNats } from "../../src/nats/connection.ts";
import { createRequester } from "../../src/nats/request.ts";
import { createRandomFor } from "../../src/simulation/random.ts";
import { Cluster } from "../lab/cluster.ts";
import { figuresUrl } from "../lab/figures-address.ts";
import { Cleanup } from "../../src/cleanup.ts";
import { attemptsToldTwice, claimedWithoutLease, readTasks, stuckClaims } from "./aftermath.ts";
import { Disk } from "./disk.ts";
import { type Losses, lossesIn } from "./losses.ts";
import type { PowerLossOptions } from "./options.ts";
import { failPower } from "./power.ts";
import { differing } from "./replicas.ts";
import { type Acknowledged, Writer } from "./writer.ts";

const WRITERS = 10;
const WORKERS = 2;
const ANSWER_MS = 90_000;

export interface Outcome extends Losses {
  readonly acknowledged: number;
  /** The servers did not know the bucket of the tasks any more, until a worker made it anew. */
  readonly bucketForgotten: boolean;
  /** Until the tasks could be read again, after the first node could be reached. */
  readonly readableMs: number;
  readonly claimedWithoutLease: number;
  /** Attempts that two sessions were told. */
  readonly toldTwice: number;
  readonly stuck: number;
  /** Buckets of which the nodes have different contents for good. */
  readonly differing: readonly string[];
  /** How often a node has ended by itself. */
  readonly endings: number;
  /** What the nodes wrote about damage. */
  readonly complaints: readonly string[];
}

/** Ends early, with everything put away, when the signal is aborted. */
export async function runPowerLoss(
  { nodes, sync, seed, seconds, victims }: PowerLossOptions,
  { binary, folder, signal }: { binary: string; folder: string; signal: AbortSignal },
): Promise<Outcome> {
  await using stack = new Cleanup();
  const disks = new Map<string, Disk>();
  for (let i = 1; i <= nodes; i++) {
    // Where the cluster has the node of this name keep its data.
    const name = `n${i}`;
    disks.set(name, stack.use(await Disk.create(join(folder, name))));
  }
  signal.throwIfAborted();
  const placing = { nodes, network: null, firstPort: randomInt(10_000, 29_000) };
  const serverConfig = sync === null ? "" : `jetstream { sync_interval: ${sync} }\n`;
  const direct = { figures: true, isDirect: true };
  const cluster = stack.use(
    await Cluster.start({ ...placing, ...direct, workers: WORKERS, binary, folder, serverConfig }),
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

  const connection = await connectNats({ servers: cluster.urls, name: "aftermath" });
  stack.defer(() => connection.close());
  const restoredAt = performance.now();
  const found = await readTasks(connection);
  const readableMs = performance.now() - restoredAt;
  const without = found === null ? 0 : await claimedWithoutLease(connection, found);
  signal.throwIfAborted();
  for (const worker of cluster.workers) worker.start();
  await cluster.untilAnswered(ANSWER_MS);
  // A bucket that the workers make anew may find what lies in its folder.
  const losses = lossesIn(acknowledged, found ?? (await readTasks(connection)) ?? [], at);
  return {
    ...losses,
    acknowledged: acknowledged.length,
    bucketForgotten: found === null,
    readableMs,
    claimedWithoutLease: without,
    toldTwice: await attemptsToldTwice(connection, losses.attemptsBack),
    stuck: await stuckClaims(connection),
    differing:
      nodes === 1
        ? []
        : await differing(cluster.nodes.map(({ name }) => figuresUrl(placing, name))),
    endings: cluster.nodes.reduce((sum, { endings: { length } }) => sum + length, 0),
    complaints: complaintsIn(cluster.nodes.map(({ name }) => join(folder, `${name}.log`))),
  };
}

interface Writing {
  /** Rejects if a writer is told what it should never be. */
  readonly done: Promise<unknown>;
  readonly stop: () => Promise<void>;
}

function write(urls: readonly string[], seed: number, acknowledged: Acknowledged[]): Writing {
  const end = new AbortController();
  const one = async (i: number): Promise<void> => {
    const connection = await connectNats({ servers: urls, reconnectTimeWait: 0.1, name: `s${i}` });
    try {
      const tasks = new TaskClient(createRequester(connection));
      await new Writer(tasks, `s${i}`, createRandomFor(seed, i), acknowledged).run(end.signal);
    } finally {
      await connection.close();
    }
  };
  const done = Promise.all(Array.from({ length: WRITERS }, (_, i) => one(i + 1)));
  done.catch(() => undefined);
  const stop = async (): Promise<void> => {
    end.abort();
    await done;
  };
  return { done, stop };
}

/** Each kind once, without what differs from line to line. */
function complaintsIn(logs: readonly string[]): string[] {
  const lines = logs.flatMap((log) => [
    ...readFileSync(log, "utf8").matchAll(/\[(?:ERR|FTL|WRN)\] (.*)$/gm),
  ]);
  const texts = lines.map(([, text = ""]) => text);
  const damage = texts.filter((text) => /corrupt|recover|damag|checksum|reset/i.test(text));
  return [...new Set(damage.map((text) => text.replaceAll(/\d+|"[^"]*"|\[S-\S+\]/g, "_")))];
}
