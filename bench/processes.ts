/** What processes take of the machine, and which belong together, as Linux tells in /proc. */
import { readdirSync, readFileSync } from "node:fs";
import { readProcess } from "../scripts/lab/process-figures.ts";

/** Processor time since its start, of a process with all its threads, in seconds; 0 for one that is gone. */
export function cpuSecondsOf(pid: number): number {
  return readProcess(pid)?.cpuSeconds ?? 0;
}

/** What it has in memory, in MiB. @throws if it is gone */
export function memoryOf(pid: number): number {
  const process = readProcess(pid);
  if (process === null) throw new Error(`there is no process ${pid}`);
  return process.residentMiB;
}

/** The process and those that it has started, such as PostgreSQL's; of one that is gone, none. */
export function familyOf(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(familyOf)];
}

function childrenOf(pid: number): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const children = threads.map((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").trim(),
    );
    return children.filter((line) => line !== "").flatMap((line) => line.split(" ").map(Number));
  } catch {
    // Some of PostgreSQL's come and go.
    return [];
  }
}
