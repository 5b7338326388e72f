/**
 * Stops the command if this process is killed (SIGKILL, out of memory) and cannot do so itself. Otherwise the
 * command would work on, while another session has its task.
 *
 * The watchdog is a shell that waits for the end of a pipe. The system closes the pipe when this process dies,
 * for any reason. The shell has a process group of its own, so a signal to the group of this process does
 * not reach it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { serverEnvironment } from "../../config/child-environment.ts";

/**
 * `$1` is the process group, `$2` the seconds from SIGTERM to SIGKILL, `$3` the folder of the task's files. A
 * line on the pipe says that the command has ended.
 */
const SCRIPT = `
read -r line && exit
kill -TERM "-$1" 2>/dev/null
seconds=0
while kill -0 "-$1" 2>/dev/null && [ "$seconds" -lt "$2" ]; do sleep 1; seconds=$((seconds + 1)); done
kill -KILL "-$1" 2>/dev/null
rm -rf -- "$3"
`;

export class Watchdog {
  readonly #shell: ChildProcess;

  constructor(groupId: number, graceMs: number, folder: string) {
    const args = [String(groupId), String(Math.ceil(graceMs / 1000)), folder];
    this.#shell = spawn("/bin/sh", ["-c", SCRIPT, "if-coordinator-watchdog", ...args], {
      stdio: ["pipe", "ignore", "ignore"],
      env: serverEnvironment(),
      detached: true,
      // It can outlive this process, and must not keep a folder in use.
      cwd: "/",
    });
    // Without a watchdog, the command still runs.
    this.#shell.on("error", () => undefined);
    this.#shell.stdin?.on("error", () => undefined);
    this.#shell.unref();
  }

  /** The command has ended. */
  dismiss(): void {
    this.#shell.stdin?.end("\n");
  }
}
