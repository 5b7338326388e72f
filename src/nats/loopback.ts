/** Addresses that nobody reaches from another machine. */
import { isIPv4 } from "node:net";

/** @param address a host, with or without a port */
export function isLoopback(address: string): boolean {
  const [, bracketed, host = address] = /^(?:\[(.*)\]|([^:]*))(?::\d+)?$/.exec(address) ?? [];
  const name = bracketed ?? host;
  return name === "localhost" || name === "::1" || (isIPv4(name) && name.startsWith("127."));
}
