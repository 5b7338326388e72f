/** Finds processes that tests have left behind, by the temporary folder that only the tests use. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** The time for a process to end after its signal. */
const GRACE_MS = 3_000;

export interface Process {
  readonly pid: number;
  readonly commandLine: string;
}

/** The processes whose command line names the folder and that do not end within the grace period. */
export async function processesOf(folder: string): Promise<Process[]> {
  const deadline = Date.now() + GRACE_MS;
  for (;;) {
    const left = allProcesses().filter(
      ({ pid, commandLine }) => pid !== process.pid && commandLine.includes(folder),
    );
    if (left.length === 0 || Date.now() > deadline) return left;
    await delay(50);
  }
}

/** On Windows, which has no simple way to list processes, it finds none. */
function allProcesses(): Process[] {
  if (process.platform === "linux") {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map((name) => ({ pid: Number(name), commandLine: commandLineOf(name) }));
  }
  if (process.platform === "win32") return [];
  const listing = execFileSync("ps", ["-axo", "pid=,args="], { encoding: "utf8" });
  return listing.split("\n").map((line) => {
    const [, pid = "0", commandLine = ""] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    return { pid: Number(pid), commandLine };
  });
}

/** Empty if the process has just ended. */
function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}
