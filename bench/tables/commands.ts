/** How long a command takes from its start to its end, compared with a program that only connects to NATS. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { median } from "../../scripts/lab/statistics.ts";
import { startPlace } from "../place.ts";
import { columns } from "../table.ts";
import type { Suite } from "./suite.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
const CONNECT_ONCE = fileURLToPath(new URL("../connect-once.js", import.meta.url));
/** The process, and not the request, takes the time, so the runs of a turn are a few. */
const RUNS_A_ROUND = 5;

export const commands: Suite = {
  name: "commands",
  what: "the start time of commands, compared with one NATS connection",
  async *run(context) {
    await using place = await startPlace(context);
    const [url = ""] = place.urls;
    const task = (...args: string[]): string[] => [MAIN, "task", ...args, "--nats", url];
    await run(task("create", "bench"));
    const programs = {
      "node -e 0": ["-e", "0"],
      "node, and one NATS connection": [CONNECT_ONCE, url],
      "if-coordinator task get": task("get", "bench"),
      "if-coordinator task claim": task("claim", "bench", "--session", "bench"),
      "if-coordinator task list": task("list"),
    };
    const times = new Map(Object.keys(programs).map((title) => [title, [] as number[]]));
    // They take turns, so that a slow moment of the machine is one of all.
    for (let i = 0; i < context.effort.rounds * RUNS_A_ROUND; i++) {
      for (const [title, args] of Object.entries(programs)) times.get(title)?.push(await run(args));
    }
    const rows = [...times].map(([title, all]) => ({
      title,
      ms: median(all),
      least: Math.min(...all),
    }));
    const floor = rows[1]?.ms ?? NaN;
    yield {
      id: "commands",
      title: "Start time of commands",
      columns: [
        { title: "what" },
        ...columns(0, "ms", "fastest ms"),
        ...columns(2, "× one NATS connection"),
      ],
      rows: rows.map(({ title, ms, least }) => [title, ms, least, ms / floor]),
      notes: [
        `Medians and the fastest of ${times.get("node -e 0")?.length ?? 0} runs, from the start of the process to its end, on Node ${process.versions.node}.`,
      ],
      drawn: { column: 1, names: 1 },
    };
  },
};

/** Milliseconds. */
async function run(args: readonly string[]): Promise<number> {
  const start = performance.now();
  await promisify(execFile)(process.execPath, args);
  return performance.now() - start;
}
