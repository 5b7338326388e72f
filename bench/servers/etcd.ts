/**
 * One node of etcd. Production settings sync its log before each acknowledgement; the only setting that
 * does not is for tests (`--unsafe-no-fsync`). It has all the space that it can have (8 GiB), and logs
 * only errors.
 */
import { HOST, takePort } from "../../scripts/lab/ports.ts";
import { findOnPath, type ServerKind, startServer } from "./server.ts";

const QUOTA_BYTES = 8 * 1024 ** 3;

export const ETCD: ServerKind = {
  findBinary: () => findOnPath("etcd"),
  install: "apt-get install -y etcd-server",
  start: async ({ binary, fsync }) => {
    const url = `http://${HOST}:${await takePort()}`;
    const peerUrl = `http://${HOST}:${await takePort()}`;
    return await startServer("etcd", (folder) => ({
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
    }));
  },
};
