/** The files that belong to the process of a nats-server. They are in the store folder, apart from the data. */
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

export function runFolder(storeDir: string): string {
  return join(storeDir, "run");
}

export function dataFolder(storeDir: string): string {
  return join(storeDir, "nats");
}

export const runFile = {
  config: (run: string) => join(run, "nats-server.conf"),
  log: (run: string) => join(run, "nats-server.log"),
  pid: (run: string) => join(run, "nats-server.pid"),
} as const;

/** The process id of the last server on the folder; `undefined`: unknown. */
export async function recordedPid(run: string): Promise<number | undefined> {
  try {
    const pid = Number(await readFile(runFile.pid(run), "utf8"));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** The port on which the server with this process id listens; `undefined`: it does not listen yet. */
export async function listeningPort(run: string, pid: number): Promise<number | undefined> {
  const name = (await readdir(run)).find((file) => file.endsWith(`_${pid}.ports`));
  if (name === undefined) return undefined;
  const ports = /"nats":\["[^"]*:(\d+)"/.exec(await readFile(join(run, name), "utf8"));
  return ports?.[1] === undefined ? undefined : Number(ports[1]);
}

/** Removes what crashed servers have left: it would look like the files of a running server. */
export async function removeRunFiles(run: string): Promise<void> {
  for (const file of await readdir(run)) {
    if (file.endsWith(".ports") || join(run, file) === runFile.pid(run)) {
      await rm(join(run, file), { force: true });
    }
  }
}
