/**
 * Files and folders that only their owner can read. Somebody else may have been at the place before: another
 * user of the machine, or the author of a checkout. So nothing here writes through a link, and a file is
 * replaced as a whole, also after a crash.
 */
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** What is at the path cannot be trusted. The message says why. */
export class UnsafePathError extends Error {
  override readonly name = "UnsafePathError";
}

/** @throws UnsafePathError */
export function refuseLink(path: string): void {
  if (statsOf(path)?.isSymbolicLink() === true) throw new UnsafePathError(`${path} is a link`);
}

/**
 * Makes the folder, and those above it. `mkdir` with `recursive` never ends in a folder such as /proc, and
 * reports ENOENT if a disk is read-only.
 */
export function makePrivateFolder(path: string): void {
  makeFolder(path, FOLDER_MODE);
}

/**
 * Makes a folder at a place that everybody can write to. If it exists, it must be this user's own, and others
 * lose their rights to it.
 *
 * @throws UnsafePathError if somebody else has made it
 */
export function makeOwnFolder(path: string): void {
  makePrivateFolder(path);
  refuseForeignFolder(path);
  if (process.platform !== "win32") chmodSync(path, FOLDER_MODE);
}

/** A folder that is missing is not refused. @throws UnsafePathError */
export function refuseForeignFolder(path: string): void {
  refuseLink(path);
  const stats = statsOf(path);
  if (stats === null) return;
  if (!stats.isDirectory()) throw new UnsafePathError(`${path} is not a folder`);
  // Windows has neither, and its temporary folder is the user's own.
  if (process.getuid !== undefined && stats.uid !== process.getuid()) {
    throw new UnsafePathError(`${path} belongs to another user`);
  }
}

/**
 * Writes the file, or replaces it.
 *
 * @param isDurable whether it must survive a loss of power
 */
export function writePrivateFile(path: string, text: string, isDurable = true): void {
  viaTemporary(path, text, isDurable, (temporary) => {
    renameSync(temporary, path);
  });
}

/** Writes the file. @returns false if there is one already */
export function createPrivateFile(path: string, text: string, isDurable = true): boolean {
  try {
    // Unlike `rename`, `link` does not replace a file.
    viaTemporary(path, text, isDurable, (temporary) => {
      linkSync(temporary, path);
    });
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/**
 * Keeps content of the folder out of git: an agent may add all that it finds. A `.gitignore` that exists stays.
 *
 * @param patterns what is ours in the folder, as git writes it
 */
export function hideFromGit(folder: string, patterns: readonly string[]): void {
  try {
    // Because it only makes a new file, it never writes through a link.
    writeFileSync(join(folder, ".gitignore"), `${patterns.join("\n")}\n`, { flag: "wx" });
  } catch {
    // There is one already, or only the folders in it can be written.
  }
}

/** `null`: there is no such file. */
export function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** Whether there is no such file or folder. */
export function isMissing(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes(codeOf(error));
}

/** Such as `ENOENT`. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

function makeFolder(path: string, mode?: number): void {
  try {
    mkdirSync(path, mode);
  } catch (error) {
    switch (codeOf(error)) {
      case "EEXIST":
        // The error says that it is no folder.
        if (!statSync(path).isDirectory()) readdirSync(path);
        return;
      case "ENOENT": {
        const parent = dirname(resolve(path));
        // In an existing folder, the error means that the file system makes no folders.
        if (isFolder(parent)) throw error;
        makeFolder(parent, mode);
        // Another process may have made it meanwhile.
        makeFolder(path, mode);
        return;
      }
      default:
        throw error;
    }
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** `null`: it is missing, or cannot be read. Then it cannot be written either, which is reported. */
function statsOf(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch {
    return null;
  }
}

function viaTemporary(
  path: string,
  text: string,
  isDurable: boolean,
  put: (temporary: string) => void,
): void {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    const file = openSync(temporary, "wx", FILE_MODE);
    try {
      writeFileSync(file, text);
      if (isDurable) fsyncSync(file);
    } finally {
      closeSync(file);
    }
    put(temporary);
  } finally {
    rmSync(temporary, { force: true });
  }
  if (isDurable) syncFolder(dirname(path));
}

/** A new name survives a loss of power once its folder is synced. Windows cannot do that. */
function syncFolder(path: string): void {
  if (process.platform === "win32") return;
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
