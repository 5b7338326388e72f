/** Builds the pinned nats-server with Go, where Go is installed, into the cache folder. */
import { execFile } from "node:child_process";
import { mkdtemp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { cachedBinary, digestOf } from "./server-install.ts";
import { BINARY_NAME, type BuiltRelease } from "./server-release.ts";

const run = promisify(execFile);
/** A small machine takes minutes for it. */
const BUILD_TIMEOUT_MS = 900_000;
const SERVER_PACKAGE = "github.com/nats-io/nats-server/v2";
/** Beside the binary: what was built has no digest that is known before, as it depends on Go's version. */
const DIGEST_FILE = "sha256";

export interface BuildOptions {
  readonly cacheDir: string;
  readonly release: BuiltRelease;
  /** For Go; its PATH is searched. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv | undefined;
}

/** The binary that was built before, unless it was changed since; `undefined` if there is none. */
export async function builtBefore({
  cacheDir,
  release,
}: BuildOptions): Promise<string | undefined> {
  const binary = cachedBinary(cacheDir, release);
  return (await isWhole(dirname(binary))) ? binary : undefined;
}

/** Whether there is a Go that builds it, or gets the Go that does (from 1.21 on). */
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
 * Builds next to its place and moves the binary there in one step, and its digest after it. So two
 * processes that build at the same time, which makes the same bytes, both end up with a whole binary.
 * @throws Error with Go's last words
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
  // Read-only: with other modules than the pinned ones it builds nothing.
  const args = ["build", "-mod=readonly", "-trimpath", "-o", binary, SERVER_PACKAGE];
  try {
    await run("go", args, { cwd, env, timeout: BUILD_TIMEOUT_MS });
  } catch (error) {
    throw new Error(reasonOf(error), { cause: error });
  }
}

/** Go's words without its reports of what it gets, on one line. */
function reasonOf(error: unknown): string {
  const stderr = error instanceof Error && "stderr" in error ? String(error.stderr) : "";
  const lines = stderr.split("\n").map((line) => line.trim());
  const told = lines.filter((line) => line !== "" && !line.startsWith("go: downloading"));
  if (told.length > 0) return told.slice(0, 3).join(" ");
  return error instanceof Error ? (error.message.split("\n", 1)[0] ?? "") : String(error);
}

async function moveInto(built: string, target: string): Promise<void> {
  try {
    for (const name of [BINARY_NAME, DIGEST_FILE])
      await rename(join(built, name), join(target, name));
  } catch (error) {
    // Windows does not replace a binary that runs: then another process was faster.
    if (!(await isWhole(target))) throw error;
  }
}

async function isWhole(folder: string): Promise<boolean> {
  const digest = await digestOf(join(folder, BINARY_NAME));
  const known = await readFile(join(folder, DIGEST_FILE), "utf8").catch(() => undefined);
  return digest !== undefined && digest === known;
}
