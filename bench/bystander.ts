/**
 * A client that has nothing to do with what keeps the machine busy. It claims tasks one at a time, and after
 * each claim asks for the floor, a request and one write. So both meet the same conditions.
 */
import { type Cleanup, startWithCleanup } from "../src/cleanup.ts";
import { startContender, programOf } from "./arena.ts";
import { BenchClient } from "./client.ts";
import { timed } from "./load.ts";

/** The milliseconds of each. */
export interface Noticed {
  readonly claims: readonly number[];
  readonly floor: readonly number[];
}

export class Bystander implements AsyncDisposable {
  readonly #client: BenchClient;
  readonly #cleanup: Cleanup;

  private constructor(client: BenchClient, cleanup: Cleanup) {
    this.#client = client;
    this.#cleanup = cleanup;
  }

  static async start(servers: readonly string[]): Promise<Bystander> {
    return await startWithCleanup(async (cleanup) => {
      const client = cleanup.use(await BenchClient.connect(servers));
      // The first makes the bucket into which the second writes.
      cleanup.use(await startContender(programOf("floor"), servers));
      cleanup.use(await startContender(programOf("floor"), ["responder", ...servers]));
      return new Bystander(client, cleanup);
    });
  }

  async notice(count: number): Promise<Noticed> {
    return await this.#noticeWhile((done) => done < count);
  }

  /** @returns a function that stops it, and resolves to what was noticed */
  noticeUntilStopped(): () => Promise<Noticed> {
    let isStopped = false;
    const noticing = this.#noticeWhile(() => !isStopped);
    return () => {
      isStopped = true;
      return noticing;
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup[Symbol.asyncDispose]();
  }

  async #noticeWhile(isWanted: (done: number) => boolean): Promise<Noticed> {
    const claims: number[] = [];
    const floor: number[] = [];
    while (isWanted(claims.length)) {
      claims.push(...(await this.#client.timedClaims(1)));
      floor.push(await timed(() => this.#client.writeFloor()));
    }
    return { claims, floor };
  }
}
