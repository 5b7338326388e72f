/**
 * The folder in which the MCP servers and the hooks of a user keep what they must know of each other. It is in
 * the temporary folder, where another user can be first. Then it is in the home folder.
 */
import { readdirSync, rmdirSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { makeOwnFolder, refuseForeignFolder } from "../../private-files.ts";

export type AgentFolder = "agents" | "claims";

/** Makes it if there is none. @throws Error if neither place can be used */
export function makeAgentFolder(name: AgentFolder): string {
  const [inTemporary, inHome] = places();
  try {
    return makeIn(inTemporary, name);
  } catch {
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
