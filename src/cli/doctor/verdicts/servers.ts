/** Verdicts on the servers: what answers at their addresses, and their versions. */
import type { AddressAnswer, AddressFacts } from "../../../nats/inspection/address.ts";
import { judgeServerVersion } from "../../../nats/server-versions.ts";
import { count, type Finding, found, ok, shortList } from "../finding.ts";
import type { FindingCode } from "../finding-codes.ts";

/** @param isConnected to one of them, or to another server of their cluster */
export function judgeAddresses(
  addresses: readonly AddressFacts[],
  isConnected: boolean,
): Finding[] {
  const failures = addresses.flatMap(({ address, answer }) => {
    const failure = failureOf(answer);
    if (failure === null) return [];
    const [code, problem] = failure;
    return [found(isConnected ? "server_down" : code, `${address}: ${problem}`)];
  });
  const good = addresses.filter(({ answer }) => answer.kind === "nats");
  if (good.length === 0) return failures;
  return [ok(`NATS answers at ${shortList(good.map(({ address }) => address))}`), ...failures];
}

function failureOf(answer: AddressAnswer): [FindingCode, string] | null {
  switch (answer.kind) {
    case "nats":
      return null;
    case "no_host":
      return ["host_not_found", `the host name is unknown (${answer.problem})`];
    case "refused":
      return ["connection_refused", "nothing listens there"];
    case "unreachable":
      return ["unreachable", `it cannot be reached (${answer.problem})`];
    case "http":
      return ["http_port", "the port speaks HTTP, not NATS"];
    case "other":
      return ["not_nats", `another program answers: "${answer.firstLine}"`];
    case "silent":
      return ["silent", "the port accepts the connection, but sends nothing"];
  }
}

/** A server, and the version that it says it has. */
export interface ServerVersion {
  readonly server: string;
  readonly version: string;
}

export function judgeVersions(servers: readonly ServerVersion[]): Finding[] {
  const byVersion = new Map<string, string[]>();
  for (const { server, version } of servers) {
    byVersion.set(version, [...(byVersion.get(version) ?? []), server]);
  }
  const findings = [...byVersion].flatMap(([version, names]) => judgeVersion(version, names));
  if (byVersion.size > 1) {
    const each = [...byVersion].map(([version, names]) => `${version} on ${shortList(names)}`);
    findings.push(found("versions_differ", `the servers have ${each.join("; ")}`));
  }
  if (findings.length > 0) return findings;
  const [version = "unknown"] = byVersion.keys();
  const where = servers.length > 1 ? ` on all of ${count(servers.length, "server")}` : "";
  return [ok(`nats-server ${version}${where} has no known defect`)];
}

function judgeVersion(version: string, servers: readonly string[]): Finding[] {
  const verdict = judgeServerVersion(version);
  if (verdict.kind === "good") return [];
  const what = `${shortList(servers)}: nats-server ${version}`;
  const values = { version: verdict.fixedIn };
  return verdict.kind === "too_old"
    ? [found("version_refused", `${what}, ${verdict.problem}`, values)]
    : [found("version_known_bad", `${what} ${verdict.problem}`, values)];
}
