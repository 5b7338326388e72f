/** Processes of this machine: those that have written a file, and those that have started this one. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename } from "node:path";

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

const SHELLS: ReadonlySet<string> = new Set(["sh", "ash", "bash", "dash", "fish", "ksh", "zsh"]);

/** The process that has started this one, and if that is a shell, the one that has started the shell. */
export function startersOfThis(): number[] {
  const { ppid } = process;
  return [ppid, starterOfShell(ppid)].filter((pid) => pid > 1);
}

/** 0 if the process is no shell, or nobody knows. */
function starterOfShell(pid: number): number {
  try {
    const { name, parent } = describe(pid);
    return SHELLS.has(name) ? parent : 0;
  } catch {
    return 0;
  }
}

/** @throws Error if the system does not say it */
function describe(pid: number): { readonly name: string; readonly parent: number } {
  if (process.platform !== "linux") {
    // A hook of Linux needs no such module, which takes time to load.
    const require = createRequire(import.meta.url);
    const { execFileSync } = require("node:child_process") as typeof import("node:child_process");
    const args = ["-o", "ppid=,comm=", "-p", String(pid)];
    const [, parent, command = ""] =
      /^\s*(\d+)\s+(.*?)\s*$/.exec(execFileSync("ps", args, { encoding: "utf8" })) ?? [];
    // A shell at login has a name that begins with "-".
    return { name: basename(command).replace(/^-/, ""), parent: Number(parent) };
  }
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name of the program is in parentheses, and can have spaces.
  const end = stat.lastIndexOf(")");
  const [, parent] = stat.slice(end + 2).split(" ");
  return { name: stat.slice(stat.indexOf("(") + 1, end), parent: Number(parent) };
}
