/** The build whose worker is attacked: this one, or another one to compare with. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Setting } from "../../src/config/settings.ts";

const THIS = fileURLToPath(new URL("../..", import.meta.url));

export class Build {
  readonly command: readonly [string, ...string[]];
  readonly #settings: readonly Setting[];

  private constructor(main: string, settings: readonly Setting[]) {
    this.command = [process.execPath, main];
    this.#settings = settings;
  }

  /**
   * @param dist the folder of the build; `null`: this build
   * @throws Error if it is no build of the coordinator
   */
  static async open(dist: string | null): Promise<Build> {
    const folder = dist ?? THIS;
    const main = join(folder, "src", "cli", "main.js");
    if (!existsSync(main)) throw new Error(`--dist: ${folder} has no src/cli/main.js`);
    const module = pathToFileURL(join(folder, "src", "config", "settings.js")).href;
    const { settings } = (await import(module)) as { settings: () => Setting[] };
    return new Build(main, settings());
  }

  knows(setting: string): boolean {
    return this.#settings.some(({ name }) => name === setting);
  }

  /** The settings as variables, without those that the build does not know. */
  environment(settings: Readonly<Record<string, string | number>>): Record<string, string> {
    const known = new Map(this.#settings.map(({ name, env }) => [name, env]));
    return Object.fromEntries(
      Object.entries(settings).flatMap(([name, value]) => {
        const env = known.get(name);
        return env === undefined ? [] : [[env, String(value)]];
      }),
    );
  }
}
