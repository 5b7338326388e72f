/**
 * One node of etcd, which syncs its log before each acknowledgement: there is no production setting that
 * does not, and the one without is for tests (`--unsafe-no-fsync`). It has all the room that it may have
 * (8 GiB), and logs nothing but errors.
 */
import { GuardedFolder } from "./guarded-folder.ts";
import {
  findOnPath,
  freePort,
  HOST,
  type PeerServer,
  type ServerOptions,
  startServer,
} from "./server.ts";

export const INSTALL_ETCD = "apt-get install -y etcd-server";

const QUOTA_BYTES = 8 * 1024 ** 3;

export function findEtcdBinary(): string | null {
  return findOnPath("etcd");
}

export async function startEtcd({ binary, fsync }: ServerOptions): Promise<PeerServer> {
  const folder = await GuardedFolder.create("etcd");
  const url = `http://${HOST}:${await freePort()}`;
  const peerUrl = `http://${HOST}:${await freePort()}`;
  return await startServer(folder, {
    binary,
    args: [
      ...["--name", "bench", "--data-dir", `${folder.path}/data`],
      ...["--listen-client-urls", url, "--advertise-client-urls", url],
      ...["--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl],
      ...["--initial-cluster", `bench=${peerUrl}`],
      ...["--quota-backend-bytes", String(QUOTA_BYTES)],
      ...["--logger", "zap", "--log-level", "error", "--log-outputs", "stderr"],
      ...(fsync ? [] : ["--unsafe-no-fsync"]),
    ],
    url,
    isAnswering: async () => {
      const reply = await fetch(`${url}/health`);
      const { health } = (await reply.json()) as { readonly health: unknown };
      return health === "true";
    },
  });
}
