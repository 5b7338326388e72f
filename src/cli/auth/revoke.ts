/** `if-coordinator auth revoke`: ends the access of an agent or operator, and closes its connections. */
import type { Command } from "commander";
import { AuthFolder } from "../../auth/auth-folder.ts";
import { revokePrincipal } from "../../auth/principals.ts";
import { addJsonOption, show } from "../shared/data.ts";
import { addExamples } from "../shared/help.ts";
import { epochSeconds } from "./epoch-seconds.ts";
import {
  addServerOptions,
  giveToServer,
  printNotices,
  type ServerOptions,
} from "./folder-options.ts";

export function define(command: Command): void {
  command.argument("<name>", "of an agent or operator");
  addJsonOption(addServerOptions(command)).action(revoke);
  addExamples(command, ["auth revoke s1"]);
}

async function revoke(name: string, options: ServerOptions): Promise<void> {
  const folder = await AuthFolder.open(options.dir);
  const signed = await revokePrincipal(folder, name, epochSeconds());
  const { problem, notices } = await giveToServer(folder, options, [signed]);
  const document = { ok: true, name, account: signed.account, live: problem === null };
  await show(
    options,
    document,
    () =>
      `All credentials of ${name} are refused from now on. Its tasks and prefixes stay its own.`,
  );
  printNotices(notices);
}
