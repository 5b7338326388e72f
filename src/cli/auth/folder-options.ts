/** What the commands below `auth` share: the folder of the set-up, and the server that uses it. */
import { type Command } from "commander";
import { AuthFolder } from "../../auth/auth-folder.ts";
import { rulesOf, type SignedAccount } from "../../auth/principals.ts";
import type { ServiceUser } from "../../auth/service-users.ts";
import { AccountRefusedError, pushAccounts } from "../../nats/account-updates.ts";
import { ConnectionError, type ConnectOptions, type LoginNames } from "../../nats/connection.ts";
import { putPrincipalRules } from "../../nats/principal-entries.ts";
import type { OutputOptions } from "../shared/data.ts";
import { ExitError } from "../shared/errors.ts";
import { EXIT } from "../shared/exit-codes.ts";
import { printError } from "../shared/output.ts";
import { parseText } from "../shared/parse-values.ts";
import { shellWord } from "../shared/shell-word.ts";

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

/** What has become of accounts that the server should have. */
export interface Delivery {
  /** Why the server does not have them yet; `null`: it has them. */
  readonly problem: string | null;
  /** What the user has to do so that everything holds. */
  readonly notices: readonly string[];
}

/**
 * Gives the accounts to the server, after the rules for their principals: so the rules hold at the first request.
 * A server that does not run reads the accounts when it starts.
 *
 * @throws ExitError if a server runs, but does not take them
 */
export async function giveToServer(
  folder: AuthFolder,
  { nats = folder.place.server }: ServerOptions,
  accounts: readonly SignedAccount[],
): Promise<Delivery> {
  const caCert = await folder.caFile();
  const optionsAs = (user: ServiceUser): ConnectOptions => ({
    servers: nats.split(","),
    name: "if-coordinator auth",
    credsFile: folder.credentialsFile(user),
    ...(caCert !== null && { caCert }),
  });
  const rules = rulesOf(folder, accounts);
  const withoutRules = await putPrincipalRules(optionsAs("worker"), NAMES, rules);
  const push = `if-coordinator auth push --dir ${shellWord(folder.path)} --nats <url>`;
  const jwts = accounts.map(({ jwt }) => jwt);
  const withoutAccounts = await pushAccounts(optionsAs("admin"), NAMES, jwts).catch(
    refusedWith(push),
  );
  const notices: string[] = [];
  let problem: string | null = null;
  if (withoutAccounts !== null) {
    for (const { account, jwt } of accounts) await folder.giveToServer(account, jwt);
    problem = `no NATS server answers at ${nats} (${withoutAccounts})`;
    notices.push(
      `${problem}. A server with ${folder.file("nats-server.conf")} reads the change when it starts. ` +
        `For a server that runs elsewhere: ${push}`,
    );
  }
  if (withoutRules !== null) {
    const names = rules.map(({ principal }) => principal).join(", ");
    notices.push(
      `the prefixes and limits of ${names} do not hold yet (${withoutRules}). ` +
        `When the server and a worker run: ${push}`,
    );
  }
  return { problem, notices };
}

/** The change is in the folder already, so the command cannot be repeated. */
function refusedWith(push: string): (error: unknown) => never {
  return (error) => {
    const isRefused = error instanceof AccountRefusedError;
    if (!isRefused && !(error instanceof ConnectionError)) throw error;
    throw new ExitError(
      isRefused ? EXIT.failed : EXIT.noCoordinator,
      `${error.message}. The change is in the folder, but this server goes on as before. ` +
        `When it is the right one: ${push}`,
    );
  };
}

export function printNotices(notices: readonly string[]): void {
  for (const notice of notices) printError(`if-coordinator: ${notice}`);
}
