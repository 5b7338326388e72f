/** What Linux tells of a process, in /proc. */
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessFigures {
  readonly residentMiB: number;
  readonly descriptors: number;
  /** Processor time since it began, in seconds. */
  readonly cpuSeconds: number;
}

/** The unit of times in /proc: fixed by the kernel's interface, whatever its timer does. */
const TICKS_PER_SECOND = 100;
/** Of the fields after the command in /proc/<pid>/stat. */
const [USER_TIME, SYSTEM_TIME] = [11, 12] as const;

/** `null` if there is no such process (any more). */
export function readProcess(pid: number): ProcessFigures | null {
  try {
    const folder = `/proc/${pid}`;
    const status = readFileSync(`${folder}/status`, "utf8");
    const stat = readFileSync(`${folder}/stat`, "utf8");
    // The command is in brackets and may have any characters.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = Number(fields[USER_TIME]) + Number(fields[SYSTEM_TIME]);
    return {
      residentMiB: Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024,
      descriptors: readdirSync(`${folder}/fd`).length,
      cpuSeconds: ticks / TICKS_PER_SECOND,
    };
  } catch {
    return null;
  }
}
