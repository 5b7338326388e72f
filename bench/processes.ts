/** What processes take of the machine, as Linux tells in /proc. */
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** The kernel counts processor time in hundredths of a second, on every platform that Node runs on. */
const TICKS_PER_SECOND = 100;
const PAGES_PER_MIB = 256;

/** Processor time since its start, of a process with all its threads, in seconds; 0 for one that is gone. */
export function cpuSecondsOf(pid: number): number {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return 0;
  // The name before it is in brackets, and may have spaces.
  const fields = readFileSync(file, "utf8").split(") ")[1]?.split(" ") ?? [];
  const [user, system] = [fields[11], fields[12]].map(Number);
  return ((user ?? NaN) + (system ?? NaN)) / TICKS_PER_SECOND;
}

/** What it has in memory, in MiB. */
export function memoryOf(pid: number): number {
  const pages = readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1];
  return Number(pages) / PAGES_PER_MIB;
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
