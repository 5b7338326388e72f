/** What the commands below `auth` share: the folder of the set-up, and the server that uses it. */
import { type Command } from "commander";
import { AuthFolder } from "../../auth/auth-folder.ts";
import type { SignedAccount } from "../../auth/principals.ts";
import { pushAccounts } from "../../nats/account-updates.ts";
import type { LoginNames } from "../../nats/connection.ts";
import type { OutputOptions } from "../shared/data.ts";
import { parseText } from "../shared/parse-values.ts";

/** `dev --secure` uses the same. */
export const DEFAULT_FOLDER = ".if-coordinator/auth";

export interface FolderOptions extends OutputOptions {
  readonly dir: string;
}

export interface ServerOptions extends FolderOptions {
  readonly nats?: string;
}

export function addFolderOption(command: Command): Command {
  return command.option("--dir <folder>", "folder of the set-up", parseText, DEFAULT_FOLDER);
}

export function addServerOptions(command: Command): Command {
  return addFolderOption(command).option(
    "--nats <url,...>",
    "NATS servers (default: the one that auth init was told)",
    parseText,
  );
}

/** What error messages call the options. The credentials are those of the set-up. */
const NAMES: LoginNames = {
  servers: "--nats <url>",
  user: "--nats <url> and --dir: the server must run with the nats-server.conf of this folder",
  credsFile: "--dir",
  nkeyFile: "--dir",
  caCert: "--dir",
  certFile: "--dir",
  keyFile: "--dir",
  keyAndCert: "--dir",
};

/**
 * Gives the accounts to the server. A server that does not run reads them when it starts.
 *
 * @returns why the server does not have them yet; `null`: it has them
 * @throws AccountRefusedError, ConnectionError
 */
export async function giveToServer(
  folder: AuthFolder,
  { nats = folder.place.server }: ServerOptions,
  accounts: readonly SignedAccount[],
): Promise<string | null> {
  const caCert = await folder.caFile();
  const problem = await pushAccounts(
    {
      servers: nats.split(","),
      name: "if-coordinator auth",
      credsFile: folder.credentialsFile("admin"),
      ...(caCert !== null && { caCert }),
    },
    NAMES,
    accounts.map(({ jwt }) => jwt),
  );
  if (problem === null) return null;
  for (const { account, jwt } of accounts) await folder.giveToServer(account, jwt);
  return `no NATS server answers at ${nats} (${problem})`;
}

/** What to do if the server does not have the accounts yet. */
export function laterNotice(folder: AuthFolder, problem: string): string {
  return (
    `${problem}. A server with ${folder.file("nats-server.conf")} reads the change when it starts. ` +
    `For a server that runs elsewhere: if-coordinator auth push --dir ${folder.path} --nats <url>`
  );
}
