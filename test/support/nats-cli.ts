/** Runs the real `nats` command line in a shell, as a reader of the documentation does. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { ROOT } from "./markdown.ts";
import { ChildOutput } from "./child-output.ts";

/** The PATH, then the folders in which `go install` puts programs. */
export const PATH_WITH_NATS = [
  process.env.PATH ?? "",
  process.env.GOBIN ?? "",
  join(homedir(), "go", "bin"),
]
  .filter((folder) => folder !== "")
  .join(delimiter);

/** Why the `nats` command line cannot be used here; `false` if it can. */
export function natsCliMissing(): string | false {
  try {
    execFileSync("nats", ["--version"], {
      env: { ...process.env, PATH: PATH_WITH_NATS },
      stdio: "ignore",
    });
    execFileSync("bash", ["--version"], { stdio: "ignore" });
    return false;
  } catch {
    return "needs bash and the nats command line: https://github.com/nats-io/natscli#installation";
  }
}

export class Shell {
  readonly #env: NodeJS.ProcessEnv;

  /** @param home an empty folder, so that no context of the user names another server */
  constructor(natsUrl: string, home: string) {
    const own = {
      PATH: PATH_WITH_NATS,
      NATS_URL: natsUrl,
      HOME: home,
      XDG_CONFIG_HOME: home,
      NO_COLOR: "1",
    };
    this.#env = { ...process.env, ...own, NATS_CONTEXT: undefined };
  }

  /** Runs a script to its end, in the folder of the project. */
  async run(script: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
    await using running = this.start(script);
    return await running.exited;
  }

  start(script: string): RunningScript {
    return new RunningScript(script, this.#env);
  }
}

export class RunningScript implements AsyncDisposable {
  readonly exited: Promise<{ code: number | null; stdout: string; stderr: string }>;
  readonly #child: ChildProcess;
  readonly #output: ChildOutput;

  constructor(script: string, env: NodeJS.ProcessEnv) {
    // With its own process group, everything that the script starts ends with it.
    this.#child = spawn("bash", ["-euo", "pipefail", "-c", script], {
      cwd: ROOT,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.#output = new ChildOutput(this.#child);
    this.exited = this.#output.exited;
  }

  /** Resolves when the output matches. Rejects if the script ends before. */
  async waitFor(isThere: (output: string) => boolean, patienceMs: number): Promise<void> {
    const timeout = AbortSignal.timeout(patienceMs);
    const over = Promise.race([once(timeout, "abort"), this.exited]).then(() => {
      throw new Error(
        `what is looked for is not in:\n${this.#output.stdout}${this.#output.stderr}`,
      );
    });
    // After a match, the end of the script is not a failure.
    over.catch(() => undefined);
    while (!isThere(this.#output.stdout + this.#output.stderr)) {
      await Promise.race([this.#output.more(), over]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      process.kill(-(this.#child.pid ?? 0), "SIGKILL");
    } catch {
      // All its processes have ended.
    }
    await this.exited;
  }
}
