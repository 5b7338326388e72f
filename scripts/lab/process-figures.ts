/** What Linux says about a process in /proc. */
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessFigures {
  /** As in proc(5), such as "S (sleeping)" or "T (stopped)". */
  readonly state: string;
  readonly residentMiB: number;
  readonly descriptors: number;
  /** Processor time since its start, in seconds. */
  readonly cpuSeconds: number;
}

/** The unit of times in /proc. The interface of the kernel fixes it. */
const TICKS_PER_SECOND = 100;
/** Places among the fields after the command in /proc/<pid>/stat. */
const [USER_TIME, SYSTEM_TIME] = [11, 12] as const;

/** `null` if there is no such process. */
export function readProcess(pid: number): ProcessFigures | null {
  try {
    const folder = `/proc/${pid}`;
    const status = readFileSync(`${folder}/status`, "utf8");
    const stat = readFileSync(`${folder}/stat`, "utf8");
    // The command is in brackets and may contain any character.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME]);
    return {
      state: /^State:\s+(.+)$/m.exec(status)?.[1] ?? "unknown",
      residentMiB: Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024,
      descriptors: readdirSync(`${folder}/fd`).length,
      cpuSeconds: ticks / TICKS_PER_SECOND,
    };
  } catch {
    return null;
  }
}
