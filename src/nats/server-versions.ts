/** Which versions of nats-server are supported. Code and documentation follow this one table. */
import type { NatsConnection } from "@nats-io/transport-node";
import semver from "semver";

/** The first release with per-key TTL (ADR-48 and ADR-43), and with the security fixes of its line. */
export const MIN_SERVER_VERSION = "2.11.16";

/** Release lines, and the first patch of each that has the fixes of all security advisories. */
const PATCHED_LINES: readonly { readonly line: string; readonly from: string }[] = [
  { line: "2.11.x", from: MIN_SERVER_VERSION },
  { line: "2.12.x", from: "2.12.7" },
];

/** Releases that work, but with a defect that the operator must know. */
const KNOWN_BAD: readonly {
  readonly range: string;
  readonly fixedIn: string;
  readonly problem: string;
}[] = [
  {
    range: ">=2.14.0 <2.14.4",
    fixedIn: "2.14.4",
    problem:
      "can refuse every write to a stream until the server is restarted (nats-server pull request 8378)",
  },
];

export type ServerVerdict =
  | { readonly kind: "good" }
  /** The server is refused. `problem` continues "is version X, ". */
  | {
      readonly kind: "too_old";
      readonly problem: string;
      readonly cure: string;
      readonly fixedIn: string;
    }
  /** The server is used, with a warning. `problem` continues "is version X, which ". */
  | {
      readonly kind: "known_bad";
      readonly problem: string;
      readonly cure: string;
      readonly fixedIn: string;
    };

/** A pre-release counts as its release. A version that cannot be parsed is a private build, and is good. */
export function judgeServerVersion(version: string): ServerVerdict {
  const release = semver.coerce(version);
  if (release === null) return { kind: "good" };
  const unpatched = PATCHED_LINES.find(
    ({ line, from }) => semver.satisfies(release, line) && semver.lt(release, from),
  );
  const needed = unpatched?.from ?? MIN_SERVER_VERSION;
  if (semver.lt(release, needed)) {
    const problem = `but at least ${needed} is needed (${unpatched === undefined ? "per-key TTL" : "security fixes"})`;
    return { kind: "too_old", problem, cure: `upgrade it to ${needed} or newer`, fixedIn: needed };
  }
  const bad = KNOWN_BAD.find(({ range }) => semver.satisfies(release, range));
  if (bad === undefined) return { kind: "good" };
  return {
    kind: "known_bad",
    problem: bad.problem,
    cure: `upgrade it to ${bad.fixedIn} or newer`,
    fixedIn: bad.fixedIn,
  };
}

/** The warning about the server of a connection; `null` if there is none. */
export function serverWarning(connection: NatsConnection): string | null {
  const version = connection.info?.version ?? "";
  const verdict = judgeServerVersion(version);
  if (verdict.kind !== "known_bad") return null;
  const { problem, cure } = verdict;
  return `the NATS server at ${connection.getServer()} is version ${version}, which ${problem}: ${cure}`;
}
