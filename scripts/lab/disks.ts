/**
 * A disk for each node: a file system in memory. It is full when its size is reduced to that of its
 * content, so a full disk takes no time and no memory. Needs root on Linux.
 */
import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A limit, not memory in use: a node writes about 10 MB a minute. */
const SIZE = "4g";
/** The node may write between the measurement of the content and the change of the size. */
const ATTEMPTS = 20;

export class Disks implements AsyncDisposable {
  readonly #folder: string;
  readonly #mounted: string[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** For the nodes with these names. Resolves to `null` where nothing can be mounted. */
  static async create(folder: string, names: readonly string[]): Promise<Disks | null> {
    const disks = new Disks(folder);
    try {
      for (const name of names) await disks.#add(name);
      return disks;
    } catch {
      await disks[Symbol.asyncDispose]();
      return null;
    }
  }

  /** From now on there is no room. @throws Error if the node writes too fast for that */
  async fill(name: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const { bsize, blocks, bfree } = await statfs(this.#path(name));
      try {
        await this.#resize(name, String(bsize * (blocks - bfree)));
        return;
      } catch (error) {
        if (attempt === ATTEMPTS) throw error;
      }
    }
  }

  async free(name: string): Promise<void> {
    await this.#resize(name, SIZE);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const path of this.#mounted.splice(0)) {
      // A disk in use is unmounted when its last user ends.
      await run("umount", ["--lazy", path]).catch(() => undefined);
    }
  }

  async #add(name: string): Promise<void> {
    const path = this.#path(name);
    mkdirSync(path, { recursive: true });
    await run("mount", ["-t", "tmpfs", "-o", `size=${SIZE}`, "tmpfs", path]);
    this.#mounted.push(path);
  }

  async #resize(name: string, size: string): Promise<void> {
    await run("mount", ["-o", `remount,size=${size}`, this.#path(name)]);
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}
