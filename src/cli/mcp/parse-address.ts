/** The address of `--http`: on this machine, because the token is sent without encryption. */
import { UsageError } from "../shared/errors.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

const LOOPBACK: readonly string[] = ["127.0.0.1", "localhost", "::1"];
const MAX_PORT = 65_535;
const RULE = `must be a port, or 127.0.0.1, localhost or [::1] with a port, such as 7400`;

/** @throws UsageError */
export function parseAddress(text: string): Address {
  const [, name = "127.0.0.1", digits = ""] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? [];
  const host = name.replace(/^\[(.*)\]$/, "$1");
  const port = Number(digits);
  if (digits === "" || port > MAX_PORT || !LOOPBACK.includes(host)) {
    throw new UsageError(`--http: ${RULE}`);
  }
  return { host, port };
}
