/** `if-coordinator auth push`: gives all accounts to a server that may have missed some. */
import type { Command } from "commander";
import { AuthFolder } from "../../auth/auth-folder.ts";
import { allAccounts } from "../../auth/principals.ts";
import { addJsonOption, show } from "../shared/data.ts";
import { EXIT } from "../shared/exit-codes.ts";
import { ExitError } from "../shared/errors.ts";
import { addExamples } from "../shared/help.ts";
import {
  addServerOptions,
  giveToServer,
  printNotices,
  type ServerOptions,
} from "./folder-options.ts";

export function define(command: Command): void {
  addJsonOption(addServerOptions(command)).action(push);
  addExamples(command, ["auth push --nats nats://nats-1:4222"]);
}

async function push(options: ServerOptions): Promise<void> {
  const folder = await AuthFolder.open(options.dir);
  const accounts = await allAccounts(folder);
  const { problem, notices } = await giveToServer(folder, options, accounts);
  if (problem !== null) throw new ExitError(EXIT.noCoordinator, problem);
  const names = accounts.map(({ name }) => name);
  await show(
    options,
    { ok: true, accounts: names },
    () => `The server has ${names.length} accounts.`,
  );
  printNotices(notices);
}
