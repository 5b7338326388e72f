/**
 * Redis as a lock: `SET NX PX` of one key for each task, and a script that extends it for its holder. All
 * commands use one connection of ioredis. With several operations in flight, it has auto-pipelining, which
 * ioredis itself advises for throughput: the commands of one turn of the event loop are one write, and
 * share one sync with `appendfsync always`. A single operation at a time is faster without it.
 */
import { Redis, type Result } from "ioredis";
import type { Contender } from "../contender.ts";
import { chunks, expectCount, freshIds, scenariosOf } from "../scenarios.ts";

const LEASE_MS = 300_000;
const KEYS_PER_COMMAND = 1_000;

const RENEW = `
if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("pexpire", KEYS[1], ARGV[2]) end
return 0
`;

export function redisContender(url: string): Contender {
  const connect = (enableAutoPipelining: boolean): Redis =>
    new Redis(url, {
      enableAutoPipelining,
      scripts: { renewLease: { lua: RENEW, numberOfKeys: 1 } },
    });
  let redis = connect(false);
  /** The keys of the last round. */
  let keys: string[] = [];
  const scenarios = scenariosOf<string>({
    begin: async ({ inFlight }, count) => {
      for (const some of chunks(keys, KEYS_PER_COMMAND)) await redis.unlink(some);
      await redis.quit();
      redis = connect(inFlight > 1);
      await redis.ping();
      keys = freshIds(count).map((id) => `lease:${id}`);
      return keys;
    },
    claim: async (key, session) => {
      const isMine = (await redis.set(key, session, "PX", LEASE_MS, "NX")) === "OK";
      return isMine ? key : null;
    },
    renew: async (key, session) => {
      expectCount("renewed", await redis.renewLease(key, session, LEASE_MS), 1);
    },
  });
  return { scenarios, close: () => redis.quit() };
}

declare module "ioredis" {
  interface RedisCommander<Context> {
    renewLease(key: string, session: string, leaseMs: number): Result<number, Context>;
  }
}
