/** A named pipe for a test: a process waits at it, or shows by its end that it has ended. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { TempFolder } from "./temp-folder.ts";

/** @returns its path */
export function pipeIn(folder: TempFolder): string {
  const path = join(folder.path, "pipe");
  execFileSync("mkfifo", [path]);
  return path;
}
