/** Checks the values that say where NATS is: server URLs, inbox prefix and JetStream domain. */
import { isIPv6 } from "node:net";

/** A value cannot be used. The message says what is wrong and what to write instead. */
export class ConnectionValueError extends Error {
  override readonly name = "ConnectionValueError";
}

export interface ServerList {
  /** The URLs as they were given, without blanks and duplicates. */
  readonly urls: readonly string[];
  /** Whether any URL says `tls://`: then every server must use TLS. */
  readonly requiresTls: boolean;
}

/** The default port of a NATS server for clients. */
const DEFAULT_PORT = 4222;

/**
 * Reads one server, several separated by commas, or a list. Each is `nats://host:port`,
 * `tls://host:port` or `host:port`; the port is optional.
 *
 * @throws ConnectionValueError
 */
export function parseServers(given: string | readonly string[]): ServerList {
  const servers = [given].flat().flatMap((text) => text.split(","));
  const byAddress = new Map<string, string>();
  let requiresTls = false;
  for (const server of servers) {
    const url = server.trim();
    const { address, isTls } = parseServer(url);
    requiresTls ||= isTls;
    if (!byAddress.has(address)) byAddress.set(address, url);
  }
  if (byAddress.size === 0) {
    throw new ConnectionValueError("must name at least one server, such as nats://localhost:4222");
  }
  return { urls: [...byAddress.values()], requiresTls };
}

/** Host and port of a server that `parseServers` accepts. An IPv6 address has no brackets. */
export function hostAndPortOf(url: string): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(`http://${parseServer(url).address}`);
  // The URL parser leaves out the default port of HTTP.
  return { host: hostname.replace(/^\[|\]$/g, ""), port: port === "" ? 80 : Number(port) };
}

function parseServer(url: string): { readonly address: string; readonly isTls: boolean } {
  if (url === "") {
    throw new ConnectionValueError(
      "has an empty entry: remove it, or write a server there, such as nats://localhost:4222",
    );
  }
  if (url.includes("@")) {
    // The message does not repeat the URL, because it may contain a password.
    throw new ConnectionValueError(
      "must not contain a user or password: set nats.username and nats.password, by " +
        "IF_COORDINATOR_NATS_USERNAME and IF_COORDINATOR_NATS_PASSWORD, or config.username and " +
        "config.password in a program",
    );
  }
  const [, scheme, rest = ""] = /^(?:([^:/]*):\/\/)?(.*)$/.exec(url) ?? [];
  const isTls = isTlsScheme(scheme?.toLowerCase(), url);
  return { address: addressOf(rest.replace(/\/$/, ""), url), isTls };
}

/** @throws ConnectionValueError for a scheme that is not NATS over TCP */
function isTlsScheme(scheme: string | undefined, url: string): boolean {
  switch (scheme) {
    case undefined:
    case "nats":
      return false;
    case "tls":
      return true;
    case "ws":
    case "wss":
      throw new ConnectionValueError(
        `has ${url}, but WebSocket is not supported: use ${scheme === "ws" ? "nats" : "tls"}:// ` +
          `and the server's port for clients, ${DEFAULT_PORT} by default`,
      );
    case "http":
    case "https":
      throw new ConnectionValueError(
        `has ${url}, but a NATS server does not take requests by HTTP: use nats:// or tls:// and ` +
          `the server's port for clients, ${DEFAULT_PORT} by default`,
      );
    default:
      throw new ConnectionValueError(`has ${url} with an unknown scheme: use nats:// or tls://`);
  }
}

/** Host and port in one canonical form, so that a server named twice is recognized. */
function addressOf(text: string, url: string): string {
  // Node's pattern for IPv6 takes 5 ms to compile, which a command would notice.
  if (/:.*:/.test(text) && isIPv6(text)) return addressOf(`[${text}]`, url);
  const [, host = "", port = String(DEFAULT_PORT)] =
    /^(\[[^\]]*\]|[^:[\]]*)(?::(.*))?$/.exec(text) ?? [];
  if (!/^[^\s/?#\\]+$/.test(host) || !URL.canParse(`http://${host}`)) {
    throw new ConnectionValueError(
      `has ${url}, which is not the URL of a NATS server: use nats://host:port, such as ` +
        "nats://localhost:4222",
    );
  }
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    throw new ConnectionValueError(
      `has ${url}, whose port is not a number from 1 to 65535: use nats://host:port, such as ` +
        "nats://localhost:4222",
    );
  }
  return `${new URL(`http://${host}`).hostname}:${Number(port)}`;
}

/** @throws ConnectionValueError */
export function checkInboxPrefix(prefix: string): void {
  if (/^[^\s.*>]+(\.[^\s.*>]+)*$/.test(prefix)) return;
  throw new ConnectionValueError(
    "must be the beginning of a subject, without wildcards, blanks and a dot at its end, such as " +
      "_INBOX_alice for a user who may subscribe to _INBOX_alice.>",
  );
}

/** @throws ConnectionValueError */
export function checkDomain(domain: string): void {
  if (/^[^\s.*>]+$/.test(domain)) return;
  throw new ConnectionValueError(
    "must be the name of a JetStream domain, without dots, wildcards and blanks, such as hub",
  );
}
