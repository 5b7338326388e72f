/**
 * The disk of a node: an ext4 file system in a file, mounted through a loop device.
 *
 * What is in the file is what the disk has; what only the page cache of the mounted file system has is
 * gone when the power is. So a copy of the file is the disk after a loss of power, as long as nothing
 * syncs or unmounts the file system before the copy is made. Needs root on Linux.
 */
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

const BYTES = 512 * 1024 * 1024;

/** How long a server that was killed may keep a file open. */
const BUSY_MS = 10_000;
const POLL_MS = 100;

/** Unmounted when this process ends, whatever it ends of; the loop devices go with their mounts. */
const folders = new Set<string>();
process.on("exit", () => {
  for (const folder of folders) {
    if (isMounted(folder)) execFileSync("umount", ["--lazy", folder], { stdio: "ignore" });
  }
});

export class Disk implements AsyncDisposable {
  /** Where it is mounted. */
  readonly folder: string;
  readonly #image: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.#image = `${folder}.img`;
  }

  static async create(folder: string): Promise<Disk> {
    const disk = new Disk(folder);
    mkdirSync(folder, { recursive: true });
    writeFileSync(disk.#image, "");
    truncateSync(disk.#image, BYTES);
    // Written now and not bit by bit in the background, which would get in the way of a copy.
    const whole = ["-E", "lazy_itable_init=0,lazy_journal_init=0"];
    try {
      await run("mkfs.ext4", ["-q", "-F", ...whole, disk.#image]);
      await disk.#mount();
      return disk;
    } catch (error) {
      await disk[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What has reached the disk until now is what it has after `restore`. The file system stays mounted. */
  async losePower(): Promise<void> {
    await run("cp", ["--sparse=always", this.#image, this.#lost]);
  }

  /** As after the power came back: the file system mends itself from its journal. */
  async restore(): Promise<void> {
    await this.#unmount();
    await run("mv", [this.#lost, this.#image]);
    await this.#mount();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#unmount();
    rmSync(this.#image, { force: true });
    rmSync(this.#lost, { force: true });
  }

  get #lost(): string {
    return `${this.#image}.lost`;
  }

  /** @throws Error if it is not allowed, or was interrupted */
  async #mount(): Promise<void> {
    folders.add(this.folder);
    await run("mount", ["-o", "loop", this.#image, this.folder]);
  }

  /** Again and again: Ctrl-C reaches the command as well. */
  async #unmount(): Promise<void> {
    const deadline = performance.now() + BUSY_MS;
    while (isMounted(this.folder)) {
      const lazily = performance.now() > deadline ? ["--lazy"] : [];
      await run("umount", [...lazily, this.folder]).catch(() => delay(POLL_MS));
    }
  }
}

function isMounted(folder: string): boolean {
  return readFileSync("/proc/mounts", "utf8").includes(` ${folder} `);
}

/** Why there can be no such disks here, or `null`. */
export async function whyNoDisks(): Promise<string | null> {
  const folder = mkdtempSync(join(tmpdir(), "if-coordinator-disk-"));
  try {
    await using disk = await Disk.create(join(folder, "disk"));
    await disk.losePower();
    await disk.restore();
    return null;
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim() : String(error);
    return `a loss of power needs loop devices and ext4, as root on Linux: ${reason}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
