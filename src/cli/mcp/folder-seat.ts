/**
 * A session for each agent of a folder, if the client does not say which agent it is: the first that runs has
 * the name of the folder, the second `<name>-2`. A file holds each seat while its process lives. Hooks find the
 * agents of a folder by these files.
 *
 * A process takes a seat, or clears the seat of a killed one, only in its turn. So no two have the same.
 */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { sessionOfFolder } from "../../config/agent-session.ts";
import { writePrivateFile } from "../../private-files.ts";
import { agentFolders, inAgentFolder, namesIn, removeIfEmpty } from "./agent-folder.ts";
import { isAbandonedTurn, isOld, isTurn, oneAtATime } from "./one-at-a-time.ts";
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
    return inAgentFolder("agents", (seats) => oneAtATime(seats, () => firstFree(seats, name)));
  } catch {
    // Without such a folder, the process id distinguishes the agents of this machine.
    return { session: `${name}-${process.pid}`, leave: () => undefined };
  }
}

/** @throws Error if there is none, or it cannot be written */
function firstFree(seats: string, name: string): Seat {
  for (let number = 1; number <= MAX_SEATS; number++) {
    const session = number === 1 ? name : `${name}-${number}`;
    const file = join(seats, session);
    if (isTaken(file)) continue;
    // It replaces the file of a process that has ended without leaving.
    writePrivateFile(file, String(process.pid), false);
    return {
      session,
      leave: () => {
        leave(file);
      },
    };
  }
  throw new Error(`more than ${MAX_SEATS} agents are in one folder`);
}

/** The sessions of the agents that run in the folder. */
export function seatsOf(folder: string): string[] {
  const files = agentFolders("agents").flatMap((seats) =>
    namesIn(seats).map((name) => ({ name, path: join(seats, name) })),
  );
  // Most hooks find no seat, and need not know the name, which takes time to make.
  if (files.length === 0) return [];
  const first = sessionOfFolder(folder);
  const isOfFolder = (name: string): boolean =>
    name === first || (name.startsWith(`${first}-`) && /^\d+$/.test(name.slice(first.length + 1)));
  return files
    .filter(({ name, path }) => isOfFolder(name) && isTaken(path))
    .map(({ name }) => name);
}

/** Removes the seats of servers that were killed. Never throws: what is left harms nobody. */
export function removeAbandonedSeats(): void {
  for (const seats of agentFolders("agents")) {
    const abandoned = (): string[] => namesIn(seats).filter((name) => isAbandoned(seats, name));
    try {
      if (abandoned().length === 0) continue;
      oneAtATime(seats, () => {
        for (const name of abandoned()) rmSync(join(seats, name), { force: true });
      });
    } catch {
      // The next server tries again.
    }
    removeIfEmpty(join(seats, "seat"));
  }
}

function isAbandoned(seats: string, name: string): boolean {
  if (isTurn(name)) return isAbandonedTurn(seats, name);
  // A server writes its seat under another name first.
  return name.endsWith(".tmp") ? isOld(seats, name) : !isTaken(join(seats, name));
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
