/**
 * Lets the processes of a user do something one at a time. A process writes a file while it wants to, and goes on
 * when no other one does: the one-bit algorithm of Burns and Lamport, in which a file is the bit of a process.
 *
 * Unlike a lock, nothing must be taken from a process that was killed, which two could do at once: the file of a
 * process that has ended does not count.
 */
import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { writePrivateFile } from "../../private-files.ts";
import { namesIn } from "./agent-folder.ts";
import { isLive } from "./processes.ts";

const ENDING = ".turn";
/** Far longer than all that a process does in its turn. */
const PATIENCE_MS = 10_000;
/** No process waits so long. The file is of a killed one, whose id another process has now. */
const OLD_MS = 60_000;
const POLL_MS = 2;

/**
 * Does the work in the turn of this process. It blocks the process until then.
 *
 * @throws Error if the turn does not come within 10 s, or a file cannot be written, and what the work throws
 */
export function oneAtATime<T>(folder: string, work: () => T): T {
  const own = join(folder, `${process.pid}${ENDING}`);
  const until = Date.now() + PATIENCE_MS;
  const waitWhile = (isBusy: () => boolean): void => {
    while (isBusy()) {
      if (Date.now() > until) throw new Error(`other processes do not leave ${folder}`);
      sleep(POLL_MS);
    }
  };
  const isBefore = (): boolean => wanting(folder).some((pid) => pid < process.pid);
  const isAfter = (): boolean => wanting(folder).some((pid) => pid > process.pid);
  try {
    for (;;) {
      writePrivateFile(own, "", false);
      if (!isBefore()) break;
      // Of two that see each other, one has to step back.
      rmSync(own);
      waitWhile(isBefore);
    }
    waitWhile(isAfter);
    return work();
  } finally {
    rmSync(own, { force: true });
  }
}

/** Whether a file in the folder belongs to this module. */
export function isTurn(name: string): boolean {
  return name.endsWith(ENDING);
}

/** Whether a killed process has left the file. */
export function isAbandonedTurn(folder: string, name: string): boolean {
  return isTurn(name) && (!isLive(pidOf(name)) || isOld(folder, name));
}

/** The ids of the other processes that want their turn or have it. */
function wanting(folder: string): number[] {
  return namesIn(folder)
    .filter((name) => isTurn(name) && !isAbandonedTurn(folder, name))
    .map(pidOf)
    .filter((pid) => pid !== process.pid);
}

/** `false` if it is missing: its process can write it again at any time. */
export function isOld(folder: string, name: string): boolean {
  const stats = statSync(join(folder, name), { throwIfNoEntry: false });
  return stats !== undefined && Date.now() - stats.mtimeMs > OLD_MS;
}

function pidOf(name: string): number {
  return Number.parseInt(name, 10);
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
