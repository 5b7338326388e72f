/**
 * A temporary folder with the data of a server. Both go when this process does, however it ends: a shell
 * waits for the end of a pipe, which the kernel closes even for a process that was killed the hard way.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Reads who lives in the folder. SIGINT is what each of the servers ends by at once, in good order. */
const GUARD = `
while read -r line; do tenant=$line; done
if [ -n "$tenant" ]; then
  kill -INT "$tenant"
  for _ in $(seq 200); do
    kill -0 "$tenant" || break
    sleep 0.05
  done
  kill -KILL "$tenant"
fi
rm -rf "$1"
`;

export class GuardedFolder implements AsyncDisposable {
  readonly path: string;
  readonly #guard: ChildProcess;

  private constructor(path: string) {
    this.path = path;
    this.#guard = spawn("sh", ["-c", GUARD, "guard", path], {
      stdio: ["pipe", "ignore", "ignore"],
      // Ctrl-C is for who has started it, and not the guard's end.
      detached: true,
    });
    // It has ended before its time, and nothing can be told to it any more.
    this.#guard.stdin?.on("error", () => undefined);
  }

  static async create(name: string): Promise<GuardedFolder> {
    return new GuardedFolder(await mkdtemp(join(tmpdir(), `if-coordinator-bench-${name}-`)));
  }

  /** The process is ended before the folder is removed; `null`: there is none (any more). */
  setTenant(pid: number | null): void {
    if (this.#guard.stdin?.writable === true) this.#guard.stdin.write(`${pid ?? ""}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#guard.exitCode !== null || this.#guard.signalCode !== null) return;
    const gone = once(this.#guard, "exit");
    this.#guard.stdin?.end();
    await gone;
  }
}
