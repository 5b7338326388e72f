/** Runs commands in a folder of files, against one coordinator. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type CliExit, MAIN, runCli } from "../../support/cli-process.ts";
import type { TempFolder } from "../../support/temp-folder.ts";
import type { TestCoordinator } from "../../support/test-coordinator.ts";

export class Commands {
  readonly #url: string;
  readonly #folder: string;

  constructor(coordinator: TestCoordinator, folder: TempFolder) {
    this.#url = coordinator.server.url;
    this.#folder = folder.path;
  }

  async file(name: string, content: string | Uint8Array): Promise<void> {
    await writeFile(join(this.#folder, name), content);
  }

  run(...args: string[]): Promise<CliExit> {
    return runCli(args, this.options);
  }

  /** A script of sh, in which `$cli` is the command line. */
  shell(script: string): Promise<CliExit> {
    const cli = `"${process.execPath}" "${MAIN}"`;
    return runCli([script.replaceAll("$cli", cli)], { ...this.options, program: ["sh", "-c"] });
  }

  get options(): { readonly cwd: string; readonly env: Record<string, string> } {
    return { cwd: this.#folder, env: { NATS_URL: this.#url } };
  }
}
