/** The program of one peer. Its arguments are the name of the peer and the URL of its server. */
import { type Contender, contenderArguments, serveContender } from "../contender.ts";

type Start = (url: string) => Contender | Promise<Contender>;

/** By name. Only one is loaded: what is measured does not contain the clients of the others. */
const CONTENDERS: Readonly<Record<string, () => Promise<Start>>> = {
  etcd: async () => (await import("./etcd.ts")).etcdContender,
  redis: async () => (await import("./redis.ts")).redisContender,
  bullmq: async () => (await import("./bullmq.ts")).bullmqContender,
  postgres: async () => (await import("./postgres.ts")).postgresContender,
  "graphile-worker": async () => (await import("./graphile-worker.ts")).graphileWorkerContender,
  "pg-boss": async () => (await import("./pg-boss.ts")).pgBossContender,
};

const [name = "", url = ""] = contenderArguments();
const load = CONTENDERS[name];
if (load === undefined) throw new Error(`no peer ${name}: ${Object.keys(CONTENDERS).join(", ")}`);
const start = await load();
serveContender(await start(url));
