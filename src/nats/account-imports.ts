/**
 * What the accounts of the NATS server import from the account of the workers. Only a user of the system account
 * may see it, and only what this server has loaded.
 */
import { accountListReply, accountReply, readReply, userReply } from "../protocol/nats-replies.ts";
import {
  type Connection,
  connectNats,
  ConnectionError,
  type ConnectOptions,
} from "./connection.ts";

export interface AccountImport {
  /** The account that imports. */
  readonly account: string;
  readonly type: string;
  /** In the account of the workers. */
  readonly subject: string;
}

const ACCOUNTS = "$SYS.REQ.SERVER.PING.ACCOUNTZ";
const USER = "$SYS.REQ.USER.INFO";
const TIMEOUT_MS = 2_000;
/** Reading more takes too long for a start. */
const MOST_ACCOUNTS = 1_000;

/**
 * @param worker its account is the one from which others import
 * @param system for a connection as a user of the system account
 * @returns `null`: this user may not see it
 */
export async function readAccountImports(
  worker: Connection,
  system: ConnectOptions,
): Promise<AccountImport[] | null> {
  let connection: Connection;
  try {
    connection = await connectNats({ ...system, maxReconnectAttempts: 0 });
  } catch (error) {
    // The listener for lost connections reports it.
    if (error instanceof ConnectionError) return null;
    throw error;
  }
  try {
    const own = readReply(userReply, await ask(worker, USER))?.data.account;
    const list = readReply(accountListReply, await ask(connection, ACCOUNTS))?.data.accounts;
    if (own === undefined || list === undefined) return null;
    const found: AccountImport[] = [];
    for (const account of list.slice(0, MOST_ACCOUNTS).filter((one) => one !== own)) {
      const reply = readReply(accountReply, await ask(connection, ACCOUNTS, { account }));
      const { name_tag: name = account, imports } = reply?.data.account_detail ?? {};
      for (const { account: from, type, subject } of imports ?? []) {
        if (from === own) found.push({ account: name, type, subject });
      }
    }
    return found;
  } catch {
    // Without the permission, there is no answer.
    return null;
  } finally {
    await connection.close();
  }
}

async function ask(connection: Connection, subject: string, body: object = {}): Promise<string> {
  const options = { timeout: TIMEOUT_MS };
  return (await connection.request(subject, JSON.stringify(body), options)).string();
}
