/**
 * Makes the folders of a server, and checks before its start that they can be used.
 *
 * A folder may come from somebody else, for example with a checkout. So nothing in `run/` may be a link: the
 * server and this process write there, and would overwrite the file behind it.
 */
import { randomUUID } from "node:crypto";
import { chmodSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import {
  codeOf,
  hideFromGit,
  makePrivateFolder,
  refuseLink,
  UnsafePathError,
} from "../private-files.ts";
import { NatsServerError } from "./server-error.ts";
import { dataFolder, runFolder } from "./server-run-files.ts";

/**
 * Only its owner can read `run/`: the configuration has a password in it. New data are private as well.
 *
 * @returns its path
 * @throws NatsServerError
 */
export function makeRunFolder(storeDir: string): string {
  const run = runFolder(storeDir);
  const data = dataFolder(storeDir);
  attempt("use", run, refuseLink);
  for (const folder of [run, data]) attempt("create", folder, makePrivateFolder);
  attempt("protect", run, (folder) => {
    chmodSync(folder, 0o700);
  });
  // A store folder can be that of a project, so nothing else may be hidden.
  hideFromGit(
    storeDir,
    [run, data].map((folder) => `/${basename(folder)}/`),
  );
  for (const name of readdirSync(run)) attempt("use", join(run, name), refuseLink);
  for (const folder of [run, data]) attempt("write in", folder, writeProbe);
  return run;
}

function attempt(what: string, path: string, action: (path: string) => void): void {
  try {
    action(path);
  } catch (error) {
    throw new NatsServerError(
      error instanceof UnsafePathError
        ? `${error.message}, and a server would overwrite what is behind it: ` +
            "remove the link, or choose another folder with --store-dir"
        : `cannot ${what} the folder ${path} (${codeOf(error)}): choose another with --store-dir`,
      { cause: error },
    );
  }
}

/** Rights alone do not say it: the disk can be full or read-only. */
function writeProbe(folder: string): void {
  const path = join(folder, `probe.${randomUUID()}`);
  try {
    writeFileSync(path, "can be written", { flag: "wx", mode: 0o600 });
  } finally {
    rmSync(path, { force: true });
  }
}
