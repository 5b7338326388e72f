/**
 * The claims that a model believes to hold, in a file of the temporary folder, because hooks run in other
 * processes. A claim that is lost stays in the file until the model takes another task: until then, a push of
 * its work must be refused.
 */
import { mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";

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

/** The file of an agent's session. Without claims, there is none. */
export function writeClaims(session: string, believed: Believed): void {
  const file = fileOf(session);
  try {
    if (believed.claims.length > 0) {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      writeFileSync(file, JSON.stringify(believed), { mode: 0o600 });
      return;
    }
    rmSync(file, { force: true });
    rmdirSync(dirname(file));
    rmdirSync(dirname(dirname(file)));
  } catch {
    // Others have files there, or nobody can write: then hooks do not know the claims, and refuse nothing.
  }
}

/** `null`: nothing is known of such a session. */
export function readClaims(session: string): Believed | null {
  try {
    return JSON.parse(readFileSync(fileOf(session), "utf8")) as Believed;
  } catch {
    return null;
  }
}

function fileOf(session: string): string {
  const name = `${encodeURIComponent(session)}.json`;
  return join(tmpdir(), `if-coordinator-${userInfo().uid}`, "claims", name);
}
