/**
 * Redis as a lock: `SET NX PX` of a key for each task, and a script that lengthens it for who holds it.
 * All goes over one connection of ioredis. Where operations are under way at the same time, it has
 * auto-pipelining, its own advice for throughput: what is sent in one turn of the event loop is one
 * write, and with `appendfsync always` shares one sync. One at a time is faster without.
 */
import { Redis, type Result } from "ioredis";
import type { Contender, Prepare, Round } from "../contender.ts";
import { chunks, contest, contestCount, freshName, range, sessionOf, taskId } from "./round.ts";

const LEASE_MS = 300_000;
/** Leases that are renewed in turn. */
const RENEWED = 1_000;
const KEYS_PER_COMMAND = 1_000;

const RENEW = `
if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("pexpire", KEYS[1], ARGV[2]) end
return 0
`;

class RedisPeer implements Contender {
  readonly #url: string;
  #redis: Redis;
  /** Of the last round. */
  #keys: string[] = [];

  constructor(url: string) {
    this.#url = url;
    this.#redis = this.#connect(false);
  }

  readonly #claim: Prepare = async (round) => {
    const keys = await this.#begin(round, round.count);
    return async (index) => {
      const isMine = await this.#lock(keys[index] ?? "", sessionOf(index, round));
      if (!isMine) throw new Error("a fresh task was claimed already");
    };
  };

  readonly #contended: Prepare = async (round) => {
    const keys = await this.#begin(round, contestCount(round));
    return contest(round, (task, index) => this.#lock(keys[task] ?? "", sessionOf(index, round)));
  };

  readonly #renew: Prepare = async (round) => {
    const keys = await this.#begin(round, Math.min(round.count, RENEWED));
    await Promise.all(keys.map((key) => this.#lock(key, "session-0")));
    return async (index) => {
      const renewed = await this.#redis.renewLease(
        keys[index % keys.length] ?? "",
        "session-0",
        LEASE_MS,
      );
      if (renewed !== 1) throw new Error("a lease could not be renewed");
    };
  };

  readonly scenarios = { claim: this.#claim, contended: this.#contended, renew: this.#renew };

  async close(): Promise<void> {
    await this.#redis.quit();
  }

  async #lock(key: string, session: string): Promise<boolean> {
    return (await this.#redis.set(key, session, "PX", LEASE_MS, "NX")) === "OK";
  }

  async #begin({ inFlight }: Round, count: number): Promise<string[]> {
    for (const some of chunks(this.#keys, KEYS_PER_COMMAND)) await this.#redis.unlink(some);
    await this.#redis.quit();
    this.#redis = this.#connect(inFlight > 1);
    await this.#redis.ping();
    const name = freshName();
    this.#keys = range(count, (index) => `lease:${taskId(name, index)}`);
    return this.#keys;
  }

  #connect(enableAutoPipelining: boolean): Redis {
    return new Redis(this.#url, {
      enableAutoPipelining,
      scripts: { renewLease: { lua: RENEW, numberOfKeys: 1 } },
    });
  }
}

declare module "ioredis" {
  interface RedisCommander<Context> {
    renewLease(key: string, session: string, leaseMs: number): Result<number, Context>;
  }
}

export function redisContender(url: string): Promise<Contender> {
  return Promise.resolve(new RedisPeer(url));
}
