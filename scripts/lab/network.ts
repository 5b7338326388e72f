/**
 * A network for the processes of a run. Each process has a network namespace with an address, and a bridge
 * connects them. A link that is down, or a route that leads nowhere, then has the effect of a broken cable.
 * Needs root on Linux.
 */
import { execFile } from "node:child_process";
import { randomInt } from "node:crypto";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Other runs on this machine may use some of the subnets. */
const TRIES = 100;

export class Network implements AsyncDisposable {
  /** Of the subnet. The run that created the bridge of this name owns its addresses. */
  readonly #number: number;
  readonly #hosts = new Map<string, number>();

  private constructor(number: number) {
    this.#number = number;
  }

  /** Resolves to `null` where namespaces are not allowed. */
  static async create(): Promise<Network | null> {
    for (let tries = 0; tries < TRIES; tries++) {
      const network = new Network(randomInt(1, 255));
      try {
        await ip("link", "add", network.#bridge, "type", "bridge");
      } catch (error) {
        if (String(error).includes("File exists")) continue;
        return null;
      }
      try {
        await ip("addr", "add", `${network.ownAddress}/24`, "dev", network.#bridge);
        await ip("link", "set", network.#bridge, "up");
        return network;
      } catch {
        await network[Symbol.asyncDispose]();
        return null;
      }
    }
    return null;
  }

  /** Adds a host. */
  async add(name: string): Promise<void> {
    const address = this.#hosts.size + 1;
    this.#hosts.set(name, address);
    const [space, link, inner] = [this.#space(name), this.#link(name), `${this.#link(name)}p`];
    await ip("netns", "add", space);
    await ip("link", "add", link, "type", "veth", "peer", "name", inner);
    await ip("link", "set", inner, "netns", space);
    await ip("link", "set", link, "master", this.#bridge, "up");
    await inside(space, "addr", "add", `${this.address(name)}/24`, "dev", inner);
    await inside(space, "link", "set", inner, "up");
    await inside(space, "link", "set", "lo", "up");
  }

  /** The address of this process, for the hosts. */
  get ownAddress(): string {
    return `${this.#subnet}.254`;
  }

  address(name: string): string {
    return `${this.#subnet}.${this.#hosts.get(name) ?? 0}`;
  }

  /** Goes before a command, which then runs on the host. */
  prefix(name: string): readonly [string, ...string[]] {
    return ["ip", "netns", "exec", this.#space(name)];
  }

  /** Disconnects the host. The returned function connects it again. */
  async unplug(name: string): Promise<() => Promise<void>> {
    await ip("link", "set", this.#link(name), "down");
    return () => ip("link", "set", this.#link(name), "up");
  }

  /** Drops what `from` sends to `to`, and nothing else. The returned function ends it. */
  async block(from: string, to: string): Promise<() => Promise<void>> {
    const route = ["blackhole", `${this.address(to)}/32`] as const;
    await inside(this.#space(from), "route", "add", ...route);
    return () => inside(this.#space(from), "route", "del", ...route);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ignore = (): undefined => undefined;
    for (const name of this.#hosts.keys()) {
      await ip("link", "del", this.#link(name)).catch(ignore);
      await ip("netns", "del", this.#space(name)).catch(ignore);
    }
    await ip("link", "del", this.#bridge).catch(ignore);
  }

  get #subnet(): string {
    return `10.203.${this.#number}`;
  }

  get #bridge(): string {
    return `ifc-${this.#number}`;
  }

  #space(name: string): string {
    return `ifc-${this.#number}-${name}`;
  }

  /** Names of links have 15 characters at most. */
  #link(name: string): string {
    return `ifc${this.#number}${name}`;
  }
}

async function ip(...args: string[]): Promise<void> {
  await run("ip", args);
}

async function inside(space: string, ...args: string[]): Promise<void> {
  await run("ip", ["-n", space, ...args]);
}
