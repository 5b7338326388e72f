/**
 * The claims that a model believes to hold, in a file, because hooks run in other processes. A claim that is
 * lost stays in the file until the model takes another task: until then, a push of its work must be refused.
 */
import { readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { writePrivateFile } from "../../private-files.ts";
import { agentFolders, inAgentFolder, namesIn, removeIfEmpty } from "./agent-folder.ts";
import { isLive, startersOfThis } from "./processes.ts";

export interface BelievedClaim {
  readonly task_id: string;
  readonly attempt: number;
  readonly session_id: string;
}

export interface Believed {
  /** The NATS servers of the agent, without a login. */
  readonly servers: string;
  /** Where the server of the agent answers hooks. */
  readonly socket?: string | undefined;
  readonly claims: readonly BelievedClaim[];
}

interface Stored extends Believed {
  /** The server of the agent. */
  readonly pid: number;
  /** The client, which also runs the hooks. `null`: the server has many. */
  readonly client: number | null;
  /** Claims that a hook has ended, because the session of the model has: nobody believes to hold them. */
  readonly given_back?: readonly BelievedClaim[];
}

/** So long, the model of a server that was killed may still push its work. */
const ABANDONED_MS = 24 * 60 * 60_000;

/**
 * The file of an agent's session, for its server. Without claims, there is none.
 *
 * @param client its process. `null`: the server has many
 * @throws Error if it cannot be written
 */
export function writeClaims(
  session: string,
  { claims, ...agent }: Believed,
  client: number | null,
): void {
  if (claims.length === 0) {
    for (const file of filesOf(session)) remove(file);
    return;
  }
  inAgentFolder("claims", (folder) => {
    const file = join(folder, nameOf(session));
    const given_back = read(file)?.given_back ?? [];
    const left = claims.filter((claim) => !given_back.some((other) => isSame(claim, other)));
    write(file, { ...agent, claims: left, pid: process.pid, client, given_back });
  });
}

/** For a hook that has given these claims back. */
export function forgetClaims(session: string, given: readonly BelievedClaim[]): void {
  for (const file of filesOf(session)) {
    const stored = read(file);
    if (stored === null) continue;
    const isGiven = (claim: BelievedClaim): boolean => given.some((one) => isSame(claim, one));
    const claims = stored.claims.filter((claim) => !isGiven(claim));
    const given_back = [...(stored.given_back ?? []), ...stored.claims.filter(isGiven)];
    write(file, { ...stored, claims, given_back });
  }
}

/** `null`: nothing is known of such a session. */
export function readClaims(session: string): Believed | null {
  for (const file of filesOf(session)) {
    const stored = read(file);
    if (stored !== null) return stored;
  }
  return null;
}

/** The sessions whose server the client of this hook has started. */
export function sessionsOfThisClient(): string[] {
  const clients = agentFolders("claims").flatMap((folder) =>
    namesIn(folder).map((name) => ({ name, client: read(join(folder, name))?.client })),
  );
  if (clients.length === 0) return [];
  const starters = startersOfThis();
  return clients
    .filter(({ client }) => typeof client === "number" && starters.includes(client))
    .map(({ name }) => decodeURIComponent(name.replace(/\.json$/, "")));
}

/** Removes what servers have left that were killed. Never throws: what is left harms nobody. */
export function removeAbandonedClaims(now = Date.now()): void {
  for (const folder of agentFolders("claims")) {
    for (const file of namesIn(folder).map((name) => join(folder, name))) {
      const pid = read(file)?.pid ?? 0;
      if ((pid !== 0 && isLive(pid)) || !isOlderThan(file, now - ABANDONED_MS)) continue;
      try {
        remove(file);
      } catch {
        // The next server tries again.
      }
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

function write(file: string, stored: Stored): void {
  writePrivateFile(file, JSON.stringify(stored), false);
}

export function isSame(one: BelievedClaim, other: BelievedClaim): boolean {
  const { task_id: id, attempt, session_id: session } = one;
  return id === other.task_id && attempt === other.attempt && session === other.session_id;
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
