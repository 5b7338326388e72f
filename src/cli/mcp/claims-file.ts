/**
 * The claims that a model believes to hold, in a file, because hooks run in other processes. A claim that is
 * lost stays in the file until the model takes another task: until then, a push of its work must be refused.
 */
import { readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { writePrivateFile } from "../../private-files.ts";
import { agentFolders, makeAgentFolder, namesIn, removeIfEmpty } from "./agent-folder.ts";
import { isLive } from "./live-process.ts";

export interface BelievedClaim {
  readonly task_id: string;
  readonly attempt: number;
  readonly session_id: string;
}

export interface Believed {
  /** The NATS servers of the agent, without a login. */
  readonly servers: string;
  readonly claims: readonly BelievedClaim[];
}

interface Stored extends Believed {
  /** The server of the agent. */
  readonly pid: number;
}

/** So long, the model of a server that was killed may still push its work. */
const ABANDONED_MS = 24 * 60 * 60_000;

/** The file of an agent's session. Without claims, there is none. @throws Error if nobody can write it */
export function writeClaims(session: string, believed: Believed): void {
  if (believed.claims.length === 0) {
    for (const file of filesOf(session)) remove(file);
    return;
  }
  const file = join(makeAgentFolder("claims"), nameOf(session));
  const stored: Stored = { ...believed, pid: process.pid };
  writePrivateFile(file, JSON.stringify(stored), false);
}

/** `null`: nothing is known of such a session. */
export function readClaims(session: string): Believed | null {
  for (const file of filesOf(session)) {
    const stored = read(file);
    if (stored !== null) return stored;
  }
  return null;
}

/** Removes what servers have left that were killed. */
export function removeAbandonedClaims(now = Date.now()): void {
  for (const folder of agentFolders("claims")) {
    for (const file of namesIn(folder).map((name) => join(folder, name))) {
      const pid = read(file)?.pid ?? 0;
      if ((pid === 0 || !isLive(pid)) && isOlderThan(file, now - ABANDONED_MS)) remove(file);
    }
  }
}

function filesOf(session: string): string[] {
  return agentFolders("claims").map((folder) => join(folder, nameOf(session)));
}

function nameOf(session: string): string {
  return `${encodeURIComponent(session)}.json`;
}

function read(file: string): Stored | null {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Stored;
  } catch {
    return null;
  }
}

function isOlderThan(file: string, time: number): boolean {
  try {
    return statSync(file).mtimeMs < time;
  } catch {
    return false;
  }
}

function remove(file: string): void {
  rmSync(file, { force: true });
  removeIfEmpty(file);
}
