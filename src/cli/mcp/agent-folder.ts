/**
 * The folder in which the MCP servers and the hooks of a user keep what they must know of each other. It is in
 * the temporary folder, where another user can be first. Then it is in the home folder.
 */
import { readdirSync, rmdirSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isMissing, makeOwnFolder, refuseForeignFolder } from "../../private-files.ts";

export type AgentFolder = "agents" | "claims" | "sockets";

/** Another process can remove the folder each time that it is empty. */
const MAX_ATTEMPTS = 10;

/**
 * Does the work in the folder, and makes it if there is none. If another process removes the folder meanwhile, the
 * work is done again.
 *
 * @throws Error if neither place can be used, and what the work throws
 */
export function inAgentFolder<T>(name: AgentFolder, work: (folder: string) => T): T {
  for (let attempt = 1; ; attempt++) {
    const isLast = attempt === MAX_ATTEMPTS;
    try {
      return work(makeFolder(name, isLast));
    } catch (error) {
      if (isLast || !isMissing(error)) throw error;
    }
  }
}

function makeFolder(name: AgentFolder, isLast: boolean): string {
  const [inTemporary, inHome] = places();
  try {
    return makeIn(inTemporary, name);
  } catch (error) {
    // Two processes that use different places do not know of each other.
    if (isMissing(error) && !isLast) throw error;
    return makeIn(inHome, name);
  }
}

/** Where the files can be that this user has written. */
export function agentFolders(name: AgentFolder): string[] {
  return places()
    .filter(isOwn)
    .map((place) => join(place, name));
}

/** The names of the files in the folder. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Removes the folder of a file that was removed, if it is empty. */
export function removeIfEmpty(file: string): void {
  try {
    rmdirSync(dirname(file));
    rmdirSync(dirname(dirname(file)));
  } catch {
    // Others have files there.
  }
}

function places(): [inTemporary: string, inHome: string] {
  // On Windows, the temporary folder is the user's own.
  const user = process.getuid?.() ?? "user";
  return [join(tmpdir(), `if-coordinator-${user}`), join(homedir(), ".cache", "if-coordinator")];
}

function makeIn(place: string, name: AgentFolder): string {
  makeOwnFolder(place);
  const folder = join(place, name);
  makeOwnFolder(folder);
  return folder;
}

function isOwn(place: string): boolean {
  try {
    refuseForeignFolder(place);
    return true;
  } catch {
    return false;
  }
}
