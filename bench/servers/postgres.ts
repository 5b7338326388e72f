/**
 * PostgreSQL, tuned as much as most of its users do: 256 MB of shared buffers, and connections for many
 * clients. Without `fsync`, a commit is acknowledged before it is on the disk (`synchronous_commit`),
 * where it is some 200 ms later; the setting that would risk the whole database stays as it is.
 */
import { execFile } from "node:child_process";
import { chownSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { GuardedFolder } from "./guarded-folder.ts";
import {
  freePort,
  HOST,
  isExecutable,
  type PeerServer,
  type ServerOptions,
  startServer,
  type User,
} from "./server.ts";

export const INSTALL_POSTGRES = "apt-get install -y postgresql";

const run = promisify(execFile);

/** Debian has a folder for each version in it. */
const VERSIONS = "/usr/lib/postgresql";
const OWNER = "postgres";

/** Of the newest version. */
export function findPostgresBinary(): string | null {
  try {
    const newestFirst = readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a));
    const binaries = newestFirst.map((version) => join(VERSIONS, version, "bin", "postgres"));
    return binaries.find(isExecutable) ?? null;
  } catch {
    return null;
  }
}

export async function startPostgres({ binary, fsync }: ServerOptions): Promise<PeerServer> {
  const folder = await GuardedFolder.create("postgres");
  const data = join(folder.path, "data");
  const tool = (name: string): string => join(dirname(binary), name);
  const user = process.getuid?.() === 0 ? userNamed(OWNER) : null;
  try {
    if (user !== null) chownSync(folder.path, user.uid, user.gid);
    const initializing = run(
      tool("initdb"),
      ["-D", data, "-U", OWNER, "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync"],
      { cwd: folder.path, ...user },
    );
    folder.setTenant(initializing.child.pid ?? null);
    await initializing;
    folder.setTenant(null);
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
  const port = await freePort();
  const settings = {
    ...{ listen_addresses: HOST, port, unix_socket_directories: "" },
    ...{ shared_buffers: "256MB", max_connections: 300 },
    synchronous_commit: fsync ? "on" : "off",
  };
  return await startServer(folder, {
    binary,
    args: ["-D", data, ...Object.entries(settings).flatMap(([k, v]) => ["-c", `${k}=${v}`])],
    user,
    url: `postgres://${OWNER}@${HOST}:${port}/postgres`,
    isAnswering: async () => {
      await run(tool("pg_isready"), ["-h", HOST, "-p", String(port)]);
      return true;
    },
  });
}

/** PostgreSQL refuses to be run by root. */
function userNamed(name: string): User {
  const lines = readFileSync("/etc/passwd", "utf8").split("\n");
  const [, , uid, gid] = lines.find((line) => line.startsWith(`${name}:`))?.split(":") ?? [];
  if (uid === undefined || gid === undefined) throw new Error(`there is no user ${name}`);
  return { uid: Number(uid), gid: Number(gid) };
}
