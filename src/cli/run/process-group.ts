/** The process group of a command: everything that the command has started and that has not left the group. */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** There is no event for the end of a group. The pauses between the checks grow. */
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 320;

export class ProcessGroup {
  readonly #id: number;

  /** @param id that of the process that leads the group */
  constructor(id: number) {
    this.#id = id;
  }

  /** Whether one of its processes runs. */
  get isRunning(): boolean {
    return this.#kill(0) && (runsInProc(this.#id) ?? true);
  }

  signal(signal: NodeJS.Signals): void {
    this.#kill(signal);
  }

  /** Resolves when none of its processes runs, or the time is over. */
  async ended(patienceMs: number): Promise<void> {
    const deadline = performance.now() + patienceMs;
    let pause = FIRST_PAUSE_MS;
    while (this.isRunning) {
      const left = deadline - performance.now();
      if (left <= 0) return;
      await delay(Math.min(pause, left));
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    }
  }

  /** `false` if the group has no process. */
  #kill(signal: NodeJS.Signals | 0): boolean {
    try {
      return process.kill(-this.#id, signal);
    } catch (error) {
      // A process that has changed its user may not be signalled, but it is there.
      return (error as NodeJS.ErrnoException).code === "EPERM";
    }
  }
}

/**
 * Whether a process of the group runs, on Linux; `null` on other systems. In many containers the first
 * process reaps no orphans: then processes that have ended stay in their group forever.
 */
function runsInProc(groupId: number): boolean | null {
  if (process.platform !== "linux") return null;
  return readdirSync("/proc").some((name) => /^\d+$/.test(name) && runsAs(name, groupId));
}

const ENDED_STATES = ["Z", "X"];

function runsAs(processId: string, groupId: number): boolean {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, "utf8");
    // The name of the program, in parentheses, can contain anything.
    const [state = "", , group] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return group === String(groupId) && !ENDED_STATES.includes(state);
  } catch {
    return false;
  }
}
