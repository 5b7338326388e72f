/**
 * Makes the writes of a process to its files slow: `strace` holds up each call that only files get. The
 * connections of a NATS server use other calls, so that it is its disk alone that is slow.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";

const CALLS = "pwrite64,fsync,fdatasync,ftruncate";

export async function isStraceHere(): Promise<boolean> {
  try {
    await promisify(execFile)("strace", ["-V"]);
    return true;
  } catch {
    return false;
  }
}

/** Holds up each write for so long, until the returned function has resolved. */
export async function slowDisk(pid: number, delayMs: number): Promise<() => Promise<void>> {
  const inject = `inject=${CALLS}:delay_enter=${Math.round(delayMs * 1000)}`;
  const args = ["-f", "-p", String(pid), "-e", `trace=${CALLS}`, "-e", inject, "-o", "/dev/null"];
  const strace = spawn("strace", args, { stdio: ["ignore", "ignore", "pipe"] });
  // It ends with the process that it follows.
  const ended = once(strace, "exit");
  // The first that it says is that it has attached itself.
  await Promise.race([once(strace.stderr, "data"), ended]);
  strace.stderr.resume();
  return async () => {
    // Told so, it lets go of the process.
    strace.kill("SIGTERM");
    await ended;
  };
}
