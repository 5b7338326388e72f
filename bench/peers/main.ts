/** One of the peers as a contender. Started with its name and its server's URL. */
import { type Contender, serveContender } from "../contender.ts";

/** By name. Loaded one at a time: the others' clients are no part of what is measured. */
const CONTENDERS: Readonly<Record<string, () => Promise<(url: string) => Promise<Contender>>>> = {
  etcd: async () => (await import("./etcd.ts")).etcdContender,
  redis: async () => (await import("./redis.ts")).redisContender,
  bullmq: async () => (await import("./bullmq.ts")).bullmqContender,
  postgres: async () => (await import("./postgres.ts")).postgresContender,
  "graphile-worker": async () => (await import("./graphile-worker.ts")).graphileWorkerContender,
  "pg-boss": async () => (await import("./pg-boss.ts")).pgBossContender,
};

const [name = "", url = ""] = process.argv.slice(2);
const load = CONTENDERS[name];
if (load === undefined) throw new Error(`no peer ${name}: ${Object.keys(CONTENDERS).join(", ")}`);
const start = await load();
serveContender(await start(url));
