/**
 * Files that only their owner can read. A new file replaces an old one as a whole, also after a crash, and
 * neither follows a link in its place.
 */
import { randomUUID } from "node:crypto";
import { link, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { AuthError } from "./auth-error.ts";

export async function makePrivateFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unusable(path, error);
  }
}

/** Writes the file, or replaces it. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  try {
    await viaTemporary(path, text, (temporary) => rename(temporary, path));
  } catch (error) {
    throw unusable(path, error);
  }
}

/** Writes the file. @returns false if there is one already */
export async function createPrivateFile(path: string, text: string): Promise<boolean> {
  try {
    // Unlike `rename`, `link` does not replace a file.
    await viaTemporary(path, text, (temporary) => link(temporary, path));
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw unusable(path, error);
  }
}

async function viaTemporary(
  path: string,
  text: string,
  put: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await put(temporary);
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(dirname(path));
}

/** A new name survives a loss of power once its folder is synced. Windows cannot do that. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** `null`: there is no such file. */
export async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return null;
    throw unusable(path, error);
  }
}

/** Whether there is no such file or folder. */
export function isMissing(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes(codeOf(error));
}

export function unusable(path: string, cause: unknown): AuthError {
  const message = `${path} cannot be used (${codeOf(cause)}): check its permissions, or choose another folder`;
  return new AuthError(message, { cause });
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
