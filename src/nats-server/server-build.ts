/** Builds the pinned nats-server with Go into the cache folder. */
import { execFile } from "node:child_process";
import { mkdtemp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { cachedBinary, digestOf } from "./server-install.ts";
import { BINARY_NAME, type BuiltRelease } from "./server-release.ts";

const run = promisify(execFile);
/** A build takes minutes on a small machine. */
const BUILD_TIMEOUT_MS = 900_000;
const SERVER_PACKAGE = "github.com/nats-io/nats-server/v2";
/** Next to the binary. The digest of a build cannot be pinned, because it depends on the version of Go. */
const DIGEST_FILE = "sha256";

export interface BuildOptions {
  readonly cacheDir: string;
  readonly release: BuiltRelease;
  /** For Go; its PATH is searched. Default: the environment of this process. */
  readonly env?: NodeJS.ProcessEnv | undefined;
}

/** The binary of an earlier build; `undefined` if there is none, or if it has changed since. */
export async function builtBefore({
  cacheDir,
  release,
}: BuildOptions): Promise<string | undefined> {
  const binary = cachedBinary(cacheDir, release);
  return (await isWhole(dirname(binary))) ? binary : undefined;
}

/** Whether Go is installed, at 1.21 or newer: since 1.21, Go downloads a newer toolchain if it needs one. */
export async function hasGo(env: NodeJS.ProcessEnv | undefined): Promise<boolean> {
  try {
    const { stdout } = await run("go", ["version"], { env, timeout: 10_000 });
    const [, minor] = /\bgo1\.(\d+)/.exec(stdout) ?? [];
    return minor !== undefined && Number(minor) >= 21;
  } catch {
    return false;
  }
}

/**
 * Builds in a folder of its own, then moves the binary to its place in one step, and the digest after it.
 * Two processes that build at the same time produce the same bytes, so both end up with a whole binary.
 * @throws Error with the last lines that Go wrote
 */
export async function buildServer({ cacheDir, release, env }: BuildOptions): Promise<string> {
  await mkdir(cacheDir, { recursive: true });
  const workspace = await mkdtemp(join(cacheDir, "build-"));
  try {
    await writeFile(join(workspace, "go.mod"), release.goMod);
    await writeFile(join(workspace, "go.sum"), release.goSum);
    const binary = join(workspace, BINARY_NAME);
    await goBuild(binary, workspace, env);
    const digest = await digestOf(binary);
    if (digest === undefined) throw new Error("Go built nothing");
    await writeFile(join(workspace, DIGEST_FILE), digest);
    const target = cachedBinary(cacheDir, release);
    await mkdir(dirname(target), { recursive: true });
    await moveInto(workspace, dirname(target));
    return target;
  } finally {
    await rm(workspace, { recursive: true, force: true });
  }
}

async function goBuild(
  binary: string,
  cwd: string,
  env: NodeJS.ProcessEnv | undefined,
): Promise<void> {
  // With -mod=readonly, Go builds only from the pinned modules.
  const args = ["build", "-mod=readonly", "-trimpath", "-o", binary, SERVER_PACKAGE];
  try {
    await run("go", args, { cwd, env, timeout: BUILD_TIMEOUT_MS });
  } catch (error) {
    throw new Error(reasonOf(error), { cause: error });
  }
}

/** What Go wrote, on one line, without the list of its downloads. */
function reasonOf(error: unknown): string {
  const stderr = error instanceof Error && "stderr" in error ? String(error.stderr) : "";
  const lines = stderr.split("\n").map((line) => line.trim());
  const shown = lines.filter((line) => line !== "" && !line.startsWith("go: downloading"));
  if (shown.length > 0) return shown.slice(0, 3).join(" ");
  return error instanceof Error ? (error.message.split("\n", 1)[0] ?? "") : String(error);
}

async function moveInto(built: string, target: string): Promise<void> {
  try {
    for (const name of [BINARY_NAME, DIGEST_FILE])
      await rename(join(built, name), join(target, name));
  } catch (error) {
    // Windows does not replace a binary that runs. Then another process was faster.
    if (!(await isWhole(target))) throw error;
  }
}

async function isWhole(folder: string): Promise<boolean> {
  const digest = await digestOf(join(folder, BINARY_NAME));
  const known = await readFile(join(folder, DIGEST_FILE), "utf8").catch(() => undefined);
  return digest !== undefined && digest === known;
}
