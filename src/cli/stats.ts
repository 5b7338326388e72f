/** `if-coordinator stats`: how many tasks, leases, sessions and workers there are. */
import type { Command } from "commander";
import { counted } from "./shared/counted.ts";
import type { WorkerFacts } from "../nats/inspection/worker-facts.ts";
import type { Reply } from "../protocol/operations.ts";
import { withCalls } from "./shared/client.ts";
import { addConnectionOptions, type ConnectionOptions } from "./shared/connection-options.ts";
import { addJsonOption, type OutputOptions, show } from "./shared/data.ts";
import { addExamples } from "./shared/help.ts";
import { formatTable } from "./shared/table.ts";
import { formatDuration } from "./shared/time.ts";

export function define(command: Command): void {
  addConnectionOptions(addJsonOption(command)).action(stats);
  addExamples(command, [
    "stats",
    "stats --json | jq .ready",
    "if-coordinator watch --board  # live",
  ]);
}

async function stats(options: ConnectionOptions & OutputOptions): Promise<void> {
  // Its schemas would slow down the commands that need no workers.
  const { inspectWorkers } = await import("../nats/inspection/worker-facts.ts");
  await withCalls(options, async ({ calls, connection }) => {
    const [reply, workers] = await Promise.all([
      calls.call("tasks.stats", undefined, () => ({})),
      inspectWorkers(connection),
    ]);
    await show(options, { ...reply, workers: workers.map(describe) }, () =>
      formatStats(reply, workers),
    );
  });
}

export function formatStats(
  reply: Reply<"tasks.stats">,
  workers: readonly Pick<WorkerFacts, "waiting">[],
): string {
  const { tasks, total, ready, dead_ends, corrupt, leases, sessions, worker } = reply;
  const waiting = workers.map((known) => known.waiting);
  const areKnown = waiting.length > 0 && !waiting.includes(null);
  const parked = areKnown
    ? waiting.reduce<number>((sum, number) => sum + (number ?? 0), 0)
    : worker.waiting;
  const deadEnds =
    dead_ends === 0 ? "" : `${dead_ends} of them wait for a task that failed or was cancelled`;
  const delayed = tasks.available - ready;
  const rows: (readonly [string, number | string, string])[] = [
    ["blocked", tasks.blocked, deadEnds],
    ["available", tasks.available, delayed === 0 ? "" : `${ready} ready, ${delayed} not due yet`],
    ["claimed", tasks.claimed, counted(leases, "lease")],
    ["complete", tasks.complete, ""],
    ["failed", tasks.failed, ""],
    ["cancelled", tasks.cancelled, ""],
    ["all tasks", total, notTasks(corrupt)],
    ["sessions", sessions, ""],
    ["parked requests", parked, areKnown ? "" : `at worker ${worker.id}`],
    [
      "workers",
      workers.length === 0 ? "-" : workers.length,
      `${worker.id} answered: version ${worker.version}, up ${formatDuration(worker.uptime_seconds * 1_000)}`,
    ],
  ];
  return formatTable(
    ["WHAT", "NUMBER", ""],
    rows.map(([what, number, note]) => [what, String(number), note]),
  );
}

function notTasks(corrupt: number): string {
  if (corrupt === 0) return "";
  return corrupt === 1
    ? "and 1 value that is not a task"
    : `and ${corrupt} values that are not tasks`;
}

function describe({ id, version, waiting, startedAt }: WorkerFacts): object {
  return { id, version, waiting, started: startedAt };
}
