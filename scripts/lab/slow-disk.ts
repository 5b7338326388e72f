/**
 * Slows the writes of a process to its files down: `strace` delays each system call that writes to files.
 * The connections of a NATS server use other calls, so only its disk is slow.
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

/** Delays each write by so much, until the function that is returned has resolved. */
export async function slowDisk(pid: number, delayMs: number): Promise<() => Promise<void>> {
  const inject = `inject=${CALLS}:delay_enter=${Math.round(delayMs * 1000)}`;
  const args = ["-f", "-p", String(pid), "-e", `trace=${CALLS}`, "-e", inject, "-o", "/dev/null"];
  const strace = spawn("strace", args, { stdio: ["ignore", "ignore", "pipe"] });
  // strace ends with the process that it follows.
  const ended = once(strace, "exit");
  // Its first output says that it has attached itself.
  await Promise.race([once(strace.stderr, "data"), ended]);
  strace.stderr.resume();
  return async () => {
    // On this signal strace detaches from the process.
    strace.kill("SIGTERM");
    await ended;
  };
}
