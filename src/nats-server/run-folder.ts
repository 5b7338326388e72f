/**
 * Makes the folders of a server, and checks before its start that they can be used.
 *
 * A folder may come from somebody else, for example with a checkout. So nothing in `run/` may be a link: the
 * server and this process write there, and would overwrite the file behind it.
 */
import { randomUUID } from "node:crypto";
import { chmod, lstat, mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { NatsServerError } from "./server-error.ts";
import { dataFolder, runFolder } from "./server-run-files.ts";

/**
 * Only its owner can read `run/`: the configuration has a password in it. New data are private as well.
 *
 * @returns its path
 * @throws NatsServerError
 */
export async function makeRunFolder(storeDir: string): Promise<string> {
  const run = runFolder(storeDir);
  const data = dataFolder(storeDir);
  await refuseLink(run);
  for (const folder of [run, data])
    await attempt("create", folder, () => makeFolder(folder, 0o700));
  await attempt("protect", run, () => chmod(run, 0o700));
  for (const name of await readdir(run)) await refuseLink(join(run, name));
  for (const folder of [run, data]) await attempt("write in", folder, () => writeProbe(folder));
  return run;
}

async function refuseLink(path: string): Promise<void> {
  if (!(await isLink(path))) return;
  throw new NatsServerError(
    `${path} is a link, and a server would overwrite what is behind it: ` +
      "remove the link, or choose another folder with --store-dir",
  );
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink();
  } catch {
    // It is missing, or cannot be read. Then it cannot be created or written either, which is reported.
    return false;
  }
}

async function attempt(what: string, folder: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    throw new NatsServerError(
      `cannot ${what} the folder ${folder} (${codeOf(error)}): choose another with --store-dir`,
      { cause: error },
    );
  }
}

/** `mkdir` with `recursive` never ends in a folder such as /proc, and reports ENOENT if a disk is read-only. */
async function makeFolder(path: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    switch (codeOf(error)) {
      case "EEXIST":
        if (!(await stat(path)).isDirectory()) await readdir(path);
        return;
      case "ENOENT": {
        const parent = dirname(resolve(path));
        // In an existing folder, the error means that the file system makes no folders.
        if (await isFolder(parent)) throw error;
        await makeFolder(parent);
        await mkdir(path, { mode });
        return;
      }
      default:
        throw error;
    }
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

/** Rights alone do not say it: the disk can be full or read-only. */
async function writeProbe(folder: string): Promise<void> {
  const path = join(folder, `probe.${randomUUID()}`);
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile("can be written");
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
