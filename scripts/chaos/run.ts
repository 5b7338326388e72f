/** One run: a cluster, sessions, faults for a while, then quiet, then the verdict. */
import { setTimeout as delay } from "node:timers/promises";
import { Coordinator } from "../../src/client/coordinator.ts";
import { EventBus } from "../../src/client/event-bus.ts";
import type { TaskUpdate } from "../../src/client/task-update.ts";
import { connectNats } from "../../src/nats/connection.ts";
import { type RecordedEntry, readHistory } from "../../src/nats/read-history.ts";
import { createRequester } from "../../src/nats/request.ts";
import { TaskClient } from "../../src/client/task-client.ts";
import { createRandomFor } from "../../src/simulation/random.ts";
import type { Cluster } from "./cluster.ts";
import { bringAbout } from "./faults.ts";
import type { ChaosOptions } from "./options.ts";
import { Recording } from "./recording.ts";
import { ChaosSession } from "./session.ts";
import { type Evidence, judge, type Problem } from "./verdict.ts";

const QUIET = { debug: () => undefined, warn: () => undefined, error: () => undefined };
const OPEN_TASKS = 30;
/** Until all answer again; the election of a leader takes up to ten seconds. */
const RECOVERY_MS = 60_000;
/** Until every claim has ended: the longest lease, and what workers need to notice. */
const QUIET_MS = 30_000;

export interface Result extends Evidence {
  readonly problems: readonly Problem[];
  /** What was brought about, and when, in milliseconds since the start. */
  readonly faults: readonly { readonly at: number; readonly name: string }[];
  /** From the last fault until the coordinator wrote and read a task. */
  readonly recoveredAfterMs: number;
}

export async function runChaos(
  cluster: Cluster,
  { seed, durationMs, sessions }: ChaosOptions,
  tell: (line: string) => void,
): Promise<Result> {
  const started = performance.now();
  const recording = new Recording();
  const updates: TaskUpdate[] = [];
  await using bus = new EventBus({
    backend: "nats",
    config: { servers: cluster.urls, reconnectTimeWait: 0.1 },
    logger: QUIET,
  });
  if (!(await bus.connect())) throw new Error("the cluster cannot be reached");
  const coordinator = new Coordinator(bus);
  await coordinator.subscribeTaskUpdates((update) => updates.push(update), { since: "beginning" });

  const end = new AbortController();
  const taskIds: string[] = [];
  const working = Array.from({ length: sessions }, async (_, i) => {
    const connection = await connectNats({ servers: cluster.urls, reconnectTimeWait: 0.1 });
    try {
      const tasks = new TaskClient(createRequester(connection), { logger: QUIET });
      const random = createRandomFor(seed, i + 1);
      const common = { tasks, random, recording, taskIds, openTasks: OPEN_TASKS };
      await new ChaosSession({ id: `s${i + 1}`, ...common, signal: end.signal }).run();
    } finally {
      await connection.close();
    }
  });

  const faults: { at: number; name: string }[] = [];
  const faulty = bringAbout(cluster, createRandomFor(seed, 0), end.signal, (name) => {
    const at = Math.round(performance.now() - started);
    faults.push({ at, name });
    tell(`${(at / 1000).toFixed(1).padStart(7)} s  ${name}`);
  });
  const failed = Promise.race([Promise.all(working), faulty]);
  await Promise.race([failed, delay(durationMs)]);
  end.abort();
  await faulty;
  await Promise.all(working);

  await cluster.heal();
  await cluster.untilConnected();
  const recoveredAfterMs = await cluster.untilAnswered(RECOVERY_MS);
  tell(`all answer ${Math.round(recoveredAfterMs)} ms after the last fault`);
  const { entries, stuck } = await untilQuiet(coordinator, cluster, updates);
  const evidence = { recording, entries, updates };
  return { ...evidence, problems: [...judge(evidence), ...stuck], faults, recoveredAfterMs };
}

/** Every lease runs out or is ended; what then is still claimed is stuck. */
async function untilQuiet(
  coordinator: Coordinator,
  cluster: Cluster,
  updates: readonly TaskUpdate[],
): Promise<{ entries: readonly RecordedEntry[]; stuck: Problem[] }> {
  const deadline = performance.now() + QUIET_MS;
  for (;;) {
    const { tasks } = await coordinator.tasks.list({ status: "claimed" });
    if (tasks.length === 0 || performance.now() > deadline) {
      const stuck = tasks.map(({ task_id: taskId, claimed_by }) => ({
        guarantee: "returned",
        taskId,
        what: `is still claimed by ${String(claimed_by)}, long after its lease has run out`,
      }));
      const connection = await connectNats({ servers: cluster.urls });
      const entries = await readHistory(connection);
      await connection.close();
      const last = entries.at(-1)?.revision ?? 0;
      while ((updates.at(-1)?.revision ?? 0) < last && performance.now() < deadline + QUIET_MS) {
        await delay(50);
      }
      return { entries, stuck };
    }
    await delay(200);
  }
}
