/** The real `nats` command line, run by a shell as a reader of the documentation runs it. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { ROOT } from "./markdown.ts";
import { ChildOutput } from "./child-output.ts";

/** Where `go install` puts it; the PATH comes first. */
export const PATH_WITH_NATS = [
  process.env.PATH ?? "",
  process.env.GOBIN ?? "",
  join(homedir(), "go", "bin"),
]
  .filter((folder) => folder !== "")
  .join(delimiter);

/** Why the command line cannot be used here; `false` if it can. */
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

  /** `home`: an empty folder, so that no context of the user names another server. */
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

  /** Runs a script to its end, in the project's folder. */
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
    // A process group of its own: what the script starts ends with it.
    this.#child = spawn("bash", ["-euo", "pipefail", "-c", script], {
      cwd: ROOT,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.#output = new ChildOutput(this.#child);
    this.exited = this.#output.exited;
  }

  /** Resolves when the script has written what is looked for; fails if it ends without. */
  async waitFor(isThere: (output: string) => boolean, patienceMs: number): Promise<void> {
    const timeout = AbortSignal.timeout(patienceMs);
    const over = Promise.race([once(timeout, "abort"), this.exited]).then(() => {
      throw new Error(
        `what is looked for is not in:\n${this.#output.stdout}${this.#output.stderr}`,
      );
    });
    // Once it was found, the end is no failure.
    over.catch(() => undefined);
    while (!isThere(this.#output.stdout + this.#output.stderr)) {
      await Promise.race([this.#output.more(), over]);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      process.kill(-(this.#child.pid ?? 0), "SIGKILL");
    } catch {
      // All of it has ended.
    }
    await this.exited;
  }
}
