/** Ends a command that has made credentials: keeps them, tells the server, and says where they are. */
import type { AuthFolder } from "../../auth/auth-folder.ts";
import type { SignedAccount } from "../../auth/principals.ts";
import { show } from "../shared/data.ts";
import { giveToServer, printNotices, type ServerOptions } from "./folder-options.ts";

export interface MadeCredentials {
  readonly signed: SignedAccount;
  readonly credentials: string;
}

/**
 * @param name of the principal or user
 * @param message the first line for people
 */
export async function writeCredentials(
  folder: AuthFolder,
  options: ServerOptions,
  name: string,
  { signed, credentials }: MadeCredentials,
  message: string,
): Promise<void> {
  const file = folder.credentialsFile(name);
  // First, because a push that fails can be repeated by `auth push`.
  await folder.keepCredentials(name, credentials);
  const { problem, notices } = await giveToServer(folder, options, [signed]);
  const document = {
    ok: true,
    name,
    credentials: file,
    account: signed.account,
    live: problem === null,
  };
  await show(options, document, () => `${message}\n${file}`);
  printNotices(notices);
}
