/** The modules that a command of the command line loads. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type CliExit, runCli } from "./cli-process.ts";
import { TempFolder } from "./temp-folder.ts";

/** V8 lists every script for its coverage report, of ES modules and CommonJS alike. */
export async function loadedModules(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CliExit & { readonly modules: readonly string[] }> {
  await using folder = await TempFolder.create();
  const exit = await runCli(args, { env: { ...env, NODE_V8_COVERAGE: folder.path } });
  const [report = ""] = await readdir(folder.path);
  const { result } = JSON.parse(await readFile(join(folder.path, report), "utf8")) as {
    readonly result: readonly { readonly url: string }[];
  };
  return {
    ...exit,
    modules: result.map(({ url }) => url).filter((url) => !url.startsWith("node:")),
  };
}
