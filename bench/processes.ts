/** The processor time and memory of processes, from /proc of Linux. */
import { readdirSync, readFileSync } from "node:fs";
import { readProcess } from "../scripts/lab/process-figures.ts";

/** The processor time of a process and its children since their start, in seconds. */
export function cpuSecondsOf(pid: number): number {
  const own = readProcess(pid)?.cpuSeconds ?? 0;
  return childrenOf(pid).reduce((sum, child) => sum + cpuSecondsOf(child), own);
}

/** The memory of a process, in MiB. @throws if it has ended */
export function memoryOf(pid: number): number {
  const process = readProcess(pid);
  if (process === null) throw new Error(`there is no process ${pid}`);
  return process.residentMiB;
}

/** PostgreSQL does its work in child processes. */
function childrenOf(pid: number): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const children = threads.map((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").trim(),
    );
    return children.filter((line) => line !== "").flatMap((line) => line.split(" ").map(Number));
  } catch {
    // The process has just ended. Some of PostgreSQL's children live only for a moment.
    return [];
  }
}
