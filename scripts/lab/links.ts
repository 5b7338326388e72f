/** The links of a run, by who connects to whom. */
import { type Direction, Link, type Slowness } from "./link.ts";

interface Placed {
  readonly from: string;
  readonly to: string;
  readonly link: Link;
}

export class Links implements AsyncDisposable {
  readonly #host: string;
  readonly #links: Placed[] = [];

  /** @param host the address of this process, as the others see it */
  constructor(host: string) {
    this.#host = host;
  }

  /** Returns the address through which `from` reaches `to`, which listens at the target. */
  async add(from: string, to: string, target: string): Promise<string> {
    const link = await Link.open(this.#host, target);
    this.#links.push({ from, to, link });
    return link.address;
  }

  /** Stops everything between the host and all others. The returned function ends it. */
  cutOff(host: string): () => void {
    return together(this.#of(host).map(({ link }) => link.stop("up", "down")));
  }

  /** Stops what `from` sends to `to`, on every connection. The returned function ends it. */
  block(from: string, to: string): () => void {
    return together(
      this.#of(from)
        .filter((one) => one.from === to || one.to === to)
        .map((one) => {
          const direction: Direction = one.from === from ? "up" : "down";
          return one.link.stop(direction);
        }),
    );
  }

  /** Slows all connections of the host down. The returned function ends it. */
  slowDown(host: string, slowness: Slowness): () => void {
    return together(this.#of(host).map(({ link }) => link.slowDown(slowness)));
  }

  /** Breaks the connections that the host has now. */
  breakConnections(host: string): void {
    for (const { link } of this.#of(host)) link.breakConnections();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#links.map(({ link }) => link[Symbol.asyncDispose]()));
  }

  #of(host: string): Placed[] {
    return this.#links.filter(({ from, to }) => from === host || to === host);
  }
}

function together(all: readonly (() => void)[]): () => void {
  return () => {
    for (const one of all) one();
  };
}
