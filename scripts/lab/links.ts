/** The links of a run, by who connects and to whom. */
import { type Direction, Link, type Slowness } from "./link.ts";

interface Placed {
  readonly from: string;
  readonly to: string;
  readonly link: Link;
}

export class Links implements AsyncDisposable {
  readonly #host: string;
  readonly #links: Placed[] = [];

  /** `host`: the address of this process for those that connect. */
  constructor(host: string) {
    this.#host = host;
  }

  /** Returns the address at which `from` reaches `to`, which listens at the target. */
  async add(from: string, to: string, target: string): Promise<string> {
    const link = await Link.open(this.#host, target);
    this.#links.push({ from, to, link });
    return link.address;
  }

  /** Nothing passes between the host and all others until the returned function is called. */
  cutOff(host: string): () => void {
    return together(this.#of(host).map(({ link }) => link.stop("up", "down")));
  }

  /** What `from` says does not reach `to`, on whichever connection, until the function is called. */
  block(from: string, to: string): () => void {
    const between = this.#links.filter(
      (one) => (one.from === from && one.to === to) || (one.from === to && one.to === from),
    );
    return together(
      between.map((one) => {
        const direction: Direction = one.from === from ? "up" : "down";
        return one.link.stop(direction);
      }),
    );
  }

  /** All connections of the host are slow until the returned function is called. */
  slowDown(host: string, slowness: Slowness): () => void {
    const links = this.#of(host);
    for (const { link } of links) link.slowDown(slowness);
    return () => {
      for (const { link } of links) link.slowDown(null);
    };
  }

  /** Those of the host that there are at this moment. */
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
