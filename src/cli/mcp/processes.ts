/** Processes of this machine: those that have written a file, and those that have started this one. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** Whether the process still runs. */
export function isLive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // The process of another user is alive, too.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** The process that has started this one, and if that is a shell, perhaps the one that has started the shell. */
export function startersOfThis(): number[] {
  const { ppid } = process;
  return [ppid, parentOf(ppid)].filter((pid) => pid > 1);
}

/** 0 if nobody knows. */
function parentOf(pid: number): number {
  try {
    if (process.platform !== "linux") {
      // A hook of Linux needs no such module, which takes time to load.
      const require = createRequire(import.meta.url);
      const { execFileSync } = require("node:child_process") as typeof import("node:child_process");
      return Number(execFileSync("ps", ["-o", "ppid=", "-p", String(pid)], { encoding: "utf8" }));
    }
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name of the program is in parentheses, and can have spaces.
    const [, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(parent);
  } catch {
    return 0;
  }
}
