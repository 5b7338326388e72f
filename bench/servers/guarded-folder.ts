/**
 * A temporary folder with the data of a server. Server and folder go when this process ends, even if it is
 * killed: a shell waits for the end of a pipe, which the kernel closes when this process ends.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Reads the process id of the server. SIGINT ends each of the servers at once and in good order. */
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
      // Ctrl-C must not end the guard.
      detached: true,
    });
    // The guard has been killed: there is nobody to write to.
    this.#guard.stdin?.on("error", () => undefined);
  }

  static async create(name: string): Promise<GuardedFolder> {
    return new GuardedFolder(await mkdtemp(join(tmpdir(), `if-coordinator-bench-${name}-`)));
  }

  /** Names the process that ends before the folder is removed; `null`: none. */
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
