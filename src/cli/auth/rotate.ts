/** `if-coordinator auth rotate`: new credentials for a name. The old ones are refused at once. */
import type { Command } from "commander";
import { AuthFolder } from "../../auth/auth-folder.ts";
import { rotateCredentials } from "../../auth/principals.ts";
import { addJsonOption } from "../shared/data.ts";
import { addExamples } from "../shared/help.ts";
import { addServerOptions, type ServerOptions } from "./folder-options.ts";
import { epochSeconds } from "./epoch-seconds.ts";
import { writeCredentials } from "./write-credentials.ts";

export function define(command: Command): void {
  command.argument("<name>", "of an agent or operator, or worker, reports or admin");
  addJsonOption(addServerOptions(command)).action(rotate);
  addExamples(command, ["auth rotate s1", "auth rotate worker"]);
}

async function rotate(name: string, options: ServerOptions): Promise<void> {
  const folder = await AuthFolder.open(options.dir);
  const made = await rotateCredentials(folder, name, epochSeconds());
  const message = `The old credentials of ${name} are refused from now on. The new ones:`;
  await writeCredentials(folder, options, name, made, message);
}
