/**
 * A session for each agent of a folder, if the client does not say which agent it is: the first that runs has
 * the name of the folder, the second `<name>-2`. A file in the temporary folder holds each seat while its
 * process lives. Hooks find the agents of a folder by these files.
 */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { sessionOfFolder } from "../../config/agent-session.ts";

const MAX_SEATS = 1_000;

export interface Seat {
  readonly session: string;
  /** Another agent can have the session. */
  leave(): void;
}

/** Takes the first free seat of the folder. */
export function takeSeat(folder: string, seats = seatsFolder()): Seat {
  const name = sessionOfFolder(folder);
  try {
    mkdirSync(seats, { recursive: true, mode: 0o700 });
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
export function seatsOf(folder: string, seats = seatsFolder()): string[] {
  const name = sessionOfFolder(folder);
  const isOfFolder = (file: string): boolean =>
    file === name || (file.startsWith(`${name}-`) && /^\d+$/.test(file.slice(name.length + 1)));
  try {
    return readdirSync(seats).filter((file) => isOfFolder(file) && isTaken(join(seats, file)));
  } catch {
    return [];
  }
}

function seatsFolder(): string {
  return join(tmpdir(), `if-coordinator-${userInfo().uid}`, "agents");
}

function take(file: string): boolean {
  if (isTaken(file)) return false;
  // Its process has ended without leaving.
  rmSync(file, { force: true });
  try {
    writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function leave(file: string): void {
  if (pidIn(file) !== process.pid) return;
  rmSync(file, { force: true });
  try {
    rmdirSync(dirname(file));
    rmdirSync(dirname(dirname(file)));
  } catch {
    // Other agents have their seats there.
  }
}

function isTaken(file: string): boolean {
  const pid = pidIn(file);
  if (pid === null) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // The process of another user is alive, too.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function pidIn(file: string): number | null {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}
