/** Gives signed accounts to a running NATS server. It passes them on to the other servers of its cluster. */
import type { Connection, ConnectOptions } from "./connection.ts";
import type { LoginNames } from "./login.ts";
import { connectIfReachable } from "./reachable.ts";

const SUBJECT = "$SYS.REQ.CLAIMS.UPDATE";
const TIMEOUT_MS = 5_000;

/** The server has refused an account. */
export class AccountRefusedError extends Error {
  override readonly name = "AccountRefusedError";
}

/**
 * Resolves when the server uses the accounts.
 *
 * @param options the user is an administrator of the system account
 * @returns why no server can be reached; `null`: the server has the accounts
 * @throws AccountRefusedError
 * @throws ConnectionError if the server refuses the user
 */
export async function pushAccounts(
  options: ConnectOptions,
  names: LoginNames,
  jwts: readonly string[],
): Promise<string | null> {
  const connection = await connectIfReachable(options, names);
  if (typeof connection === "string") return connection;
  try {
    for (const jwt of jwts) await push(connection, jwt);
  } finally {
    await connection.close();
  }
  return null;
}

async function push(connection: Connection, jwt: string): Promise<void> {
  let answer: { data?: { code?: number }; error?: { description?: string } };
  try {
    answer = (await connection.request(SUBJECT, jwt, { timeout: TIMEOUT_MS })).json();
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new AccountRefusedError(
      `the NATS server takes no accounts (${problem}): it must run with the nats-server.conf of this folder`,
    );
  }
  if (answer.data?.code === 200) return;
  throw new AccountRefusedError(
    `the NATS server refuses the account: ${answer.error?.description ?? JSON.stringify(answer)}`,
  );
}
