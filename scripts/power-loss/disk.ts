/**
 * The disk of a node: an ext4 file system in a file, mounted through a loop device.
 *
 * The file has what the disk has. A loss of power takes what only the page cache of the file system has.
 * So a copy of the file is the disk after a loss of power, if nothing syncs or unmounts the file system
 * before the copy is made. Needs root on Linux.
 */
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);

const BYTES = 512 * 1024 * 1024;

/** How long a killed server may keep a file open. */
const BUSY_MS = 10_000;
const POLL_MS = 100;

/** Unmounted at the end of this process, for any reason. The loop devices end with their mounts. */
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
    // Everything is written now. Writes in the background would disturb the copy.
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

  /** Keeps what the disk has now for `restore`. The file system stays mounted. */
  async losePower(): Promise<void> {
    await run("cp", ["--sparse=always", this.#image, this.#lost]);
  }

  /** Mounts what was kept, as when the power comes back: the journal repairs the file system. */
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

  /** Repeats the command, because Ctrl-C reaches it as well. */
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

/** Why such disks are not possible here. `null` if they are. */
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
