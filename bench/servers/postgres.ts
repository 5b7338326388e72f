/**
 * PostgreSQL, tuned as most of its users do: 256 MB of shared buffers, and connections for many clients.
 * Without `fsync`, it acknowledges a commit before that is on the disk (`synchronous_commit`), where it is
 * some 200 ms later. The setting that would risk the whole database stays as it is.
 */
import { execFile } from "node:child_process";
import { chownSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { HOST, takePort } from "../../scripts/lab/ports.ts";
import type { GuardedFolder } from "./guarded-folder.ts";
import { isExecutable, type ServerKind, startServer, type User } from "./server.ts";

const run = promisify(execFile);

/** Debian has a folder for each version in it. */
const VERSIONS = "/usr/lib/postgresql";
const OWNER = "postgres";

export const POSTGRES: ServerKind = {
  findBinary: () => {
    try {
      const newestFirst = readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a));
      const binaries = newestFirst.map((version) => join(VERSIONS, version, "bin", "postgres"));
      return binaries.find(isExecutable) ?? null;
    } catch {
      return null;
    }
  },
  install: "apt-get install -y postgresql",
  start: async ({ binary, fsync }) => {
    const tool = (name: string): string => join(dirname(binary), name);
    const port = await takePort();
    const settings = {
      ...{ listen_addresses: HOST, port, unix_socket_directories: "" },
      ...{ shared_buffers: "256MB", max_connections: 300 },
      synchronous_commit: fsync ? "on" : "off",
    };
    const options = Object.entries(settings).flatMap(([k, v]) => ["-c", `${k}=${v}`]);
    // PostgreSQL refuses to run as root.
    const user = process.getuid?.() === 0 ? userNamed(OWNER) : null;
    return await startServer("postgres", async (folder) => {
      const data = join(folder.path, "data");
      await initialize(folder, { initdb: tool("initdb"), data, user });
      return {
        binary,
        args: ["-D", data, ...options],
        user,
        url: `postgres://${OWNER}@${HOST}:${port}/postgres`,
        isAnswering: async () => {
          await run(tool("pg_isready"), ["-h", HOST, "-p", String(port)]);
          return true;
        },
      };
    });
  },
};

async function initialize(
  folder: GuardedFolder,
  about: { readonly initdb: string; readonly data: string; readonly user: User | null },
): Promise<void> {
  const { initdb, data, user } = about;
  if (user !== null) chownSync(folder.path, user.uid, user.gid);
  const locale = ["-E", "UTF8", "--locale", "C.UTF-8"];
  const initializing = run(
    initdb,
    ["-D", data, "-U", OWNER, "-A", "trust", ...locale, "--no-sync"],
    { cwd: folder.path, ...user },
  );
  folder.setTenant(initializing.child.pid ?? null);
  await initializing;
  folder.setTenant(null);
}

function userNamed(name: string): User {
  const lines = readFileSync("/etc/passwd", "utf8").split("\n");
  const [, , uid, gid] = lines.find((line) => line.startsWith(`${name}:`))?.split(":") ?? [];
  if (uid === undefined || gid === undefined) throw new Error(`there is no user ${name}`);
  return { uid: Number(uid), gid: Number(gid) };
}
