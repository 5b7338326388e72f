/**
 * A session for each agent of a folder, if the client does not say which agent it is: the first that runs has
 * the name of the folder, the second `<name>-2`. A file holds each seat while its process lives. Hooks find the
 * agents of a folder by these files.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { sessionOfFolder } from "../../config/agent-session.ts";
import { createPrivateFile } from "../../private-files.ts";
import { agentFolders, makeAgentFolder, namesIn, removeIfEmpty } from "./agent-folder.ts";
import { isLive } from "./processes.ts";

const MAX_SEATS = 1_000;

export interface Seat {
  readonly session: string;
  /** Another agent can have the session. */
  leave(): void;
}

/** Takes the first free seat of the folder. */
export function takeSeat(folder: string): Seat {
  const name = sessionOfFolder(folder);
  try {
    const seats = makeAgentFolder("agents");
    for (let number = 1; number <= MAX_SEATS; number++) {
      const session = number === 1 ? name : `${name}-${number}`;
      const file = join(seats, session);
      if (take(file))
        return {
          session,
          leave: () => {
            leave(file);
          },
        };
    }
  } catch {
    // Without such a folder, the process id distinguishes the agents of this machine.
  }
  return { session: `${name}-${process.pid}`, leave: () => undefined };
}

/** The sessions of the agents that run in the folder. */
export function seatsOf(folder: string): string[] {
  const name = sessionOfFolder(folder);
  const isOfFolder = (file: string): boolean =>
    file === name || (file.startsWith(`${name}-`) && /^\d+$/.test(file.slice(name.length + 1)));
  return agentFolders("agents").flatMap((seats) =>
    namesIn(seats).filter((file) => isOfFolder(file) && isTaken(join(seats, file))),
  );
}

/** Removes the seats of servers that were killed. */
export function removeAbandonedSeats(): void {
  for (const seats of agentFolders("agents")) {
    for (const name of namesIn(seats)) {
      const file = join(seats, name);
      // A server that starts now writes its seat under another name first.
      if (name.endsWith(".tmp") || isTaken(file)) continue;
      rmSync(file, { force: true });
      removeIfEmpty(file);
    }
  }
}

function take(file: string): boolean {
  if (isTaken(file)) return false;
  // Its process has ended without leaving.
  rmSync(file, { force: true });
  return createPrivateFile(file, String(process.pid), false);
}

function leave(file: string): void {
  if (pidIn(file) !== process.pid) return;
  rmSync(file, { force: true });
  removeIfEmpty(file);
}

function isTaken(file: string): boolean {
  const pid = pidIn(file);
  return pid !== null && isLive(pid);
}

function pidIn(file: string): number | null {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}
