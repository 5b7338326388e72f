/** The files of a nats-server's process in its store folder; the data lies elsewhere in there. */
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

export function runFolder(storeDir: string): string {
  return join(storeDir, "run");
}

export const runFile = {
  config: (run: string) => join(run, "nats-server.conf"),
  log: (run: string) => join(run, "nats-server.log"),
  pid: (run: string) => join(run, "nats-server.pid"),
} as const;

/** The process id of the folder's last server; `undefined`: none is known. */
export async function recordedPid(run: string): Promise<number | undefined> {
  try {
    const pid = Number(await readFile(runFile.pid(run), "utf8"));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Which port the server with this process id says that it listens on; `undefined`: not yet. */
export async function listeningPort(run: string, pid: number): Promise<number | undefined> {
  const name = (await readdir(run)).find((file) => file.endsWith(`_${pid}.ports`));
  if (name === undefined) return undefined;
  const ports = /"nats":\["[^"]*:(\d+)"/.exec(await readFile(join(run, name), "utf8"));
  return ports?.[1] === undefined ? undefined : Number(ports[1]);
}

/** What servers that crashed left in the folder, and would be mistaken for a running one's. */
export async function removeRunFiles(run: string): Promise<void> {
  for (const file of await readdir(run)) {
    if (file.endsWith(".ports") || join(run, file) === runFile.pid(run)) {
      await rm(join(run, file), { force: true });
    }
  }
}
