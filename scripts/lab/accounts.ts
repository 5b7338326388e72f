/**
 * The secured set-up for a run: a server with accounts, workers that serve nobody else, an operator, and an agent
 * that is hostile.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Authenticator, credsAuthenticator } from "@nats-io/transport-node";
import { initSetUp } from "../../src/auth/init-set-up.ts";
import { DEFAULT_LIMITS } from "../../src/auth/limits.ts";
import { addPrincipal } from "../../src/auth/principals.ts";

/** The hostile agent. Its own sessions are `mallory` and `mallory.<anything>`. */
export const HOSTILE = "mallory";
const OPERATOR = "ann";
/** The largest message of an agent. */
export const AGENT_PAYLOAD = DEFAULT_LIMITS.payload;

export interface Accounts {
  /** Configuration of the NATS server. */
  readonly serverConfig: string;
  /** Settings of the workers. */
  readonly settings: Readonly<Record<string, string>>;
  readonly operatorCreds: string;
  readonly workerCreds: string;
  readonly hostileCreds: string;
}

/** @param folder for keys and credentials, which must not exist yet */
export async function makeAccounts(folder: string): Promise<Accounts> {
  const place = { server: "nats://127.0.0.1:1", host: "127.0.0.1", port: 1 };
  const made = await initSetUp(folder, { ...place, tlsFor: null });
  for (const [name, role] of [
    [OPERATOR, "operator"],
    [HOSTILE, "agent"],
  ] as const) {
    const principal = { name, role, limits: DEFAULT_LIMITS };
    const { signed, credentials } = await addPrincipal(made, principal);
    // The server does not run yet.
    await made.giveToServer(signed.account, signed.jwt);
    await made.keepCredentials(name, credentials);
  }
  const workerCreds = made.credentialsFile("worker");
  return {
    serverConfig: await readFile(join(folder, "nats-server.conf"), "utf8"),
    settings: {
      "auth.mode": "accounts",
      "nats.creds_file": workerCreds,
      "nats.system_creds_file": made.credentialsFile("reports"),
    },
    operatorCreds: made.credentialsFile(OPERATOR),
    hostileCreds: made.credentialsFile(HOSTILE),
    workerCreds,
  };
}

export async function readAuthenticator(credsFile: string): Promise<Authenticator> {
  return credsAuthenticator(await readFile(credsFile));
}
