/** Runs the real `nats` and `if-coordinator` in a shell, as a reader of the documentation does. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";
import { MAIN } from "./cli-process.ts";
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
  readonly natsUrl: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #folder: string;

  /** @param home an empty folder, so that no context of the user names another server */
  constructor(natsUrl: string, home: string) {
    this.natsUrl = natsUrl;
    this.#folder = join(home, "work");
    mkdirSync(this.#folder);
    symlinkSync(join(ROOT, "examples"), join(this.#folder, "examples"));
    const own = {
      PATH: `${installCommand(home)}${delimiter}${PATH_WITH_NATS}`,
      NATS_URL: natsUrl,
      HOME: home,
      XDG_CONFIG_HOME: home,
      NO_COLOR: "1",
    };
    this.#env = { ...process.env, ...own, NATS_CONTEXT: undefined };
  }

  /** Runs a script to its end, in a folder that has the examples of the project. */
  async run(script: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
    await using running = this.start(script);
    return await running.exited;
  }

  start(script: string): RunningScript {
    return new RunningScript(script, this.#env, this.#folder);
  }
}

/** Puts `if-coordinator` into a folder, as `npm install --global` does, and returns the folder. */
export function installCommand(home: string): string {
  const folder = join(home, "bin");
  mkdirSync(folder, { recursive: true });
  const script = `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`;
  writeFileSync(join(folder, "if-coordinator"), script, { mode: 0o755 });
  return folder;
}

/** Puts the `nats-server` of the tests next to it, unless it is on the PATH anyway. */
export function installServer(home: string, binary: string): void {
  if (!isAbsolute(binary)) return;
  const script = `#!/bin/sh\nexec "${binary}" "$@"\n`;
  writeFileSync(join(home, "bin", "nats-server"), script, { mode: 0o755 });
}

export class RunningScript implements AsyncDisposable {
  readonly exited: Promise<{ code: number | null; stdout: string; stderr: string }>;
  readonly #child: ChildProcess;
  readonly #output: ChildOutput;

  constructor(script: string, env: NodeJS.ProcessEnv, cwd: string) {
    // With its own process group, everything that the script starts ends with it.
    this.#child = spawn("bash", ["-euo", "pipefail", "-c", script], {
      cwd,
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
