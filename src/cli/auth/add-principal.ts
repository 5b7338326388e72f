/** What `auth add-agent` and `auth add-operator` share. */
import { type Command, InvalidArgumentError } from "commander";
import { AuthFolder } from "../../auth/auth-folder.ts";
import {
  type AccountLimits,
  DEFAULT_LIMITS,
  formatLimits,
  parseLimits,
} from "../../auth/limits.ts";
import { nameProblem, type Role } from "../../auth/names.ts";
import { addPrincipal } from "../../auth/principals.ts";
import { addJsonOption } from "../shared/data.ts";
import { addServerOptions, type ServerOptions } from "./folder-options.ts";
import { writeCredentials } from "./write-credentials.ts";

interface AddOptions extends ServerOptions {
  readonly limits: AccountLimits;
}

export function defineAdd(command: Command, role: Role, meaning: string): Command {
  command
    .argument("<name>", meaning, parseName)
    .option(
      "--limits <limits>",
      `what NATS allows it (default: ${formatLimits(DEFAULT_LIMITS)})`,
      parse,
      DEFAULT_LIMITS,
    );
  // The default is spelled out above.
  const [limits] = command.options;
  limits?.default(DEFAULT_LIMITS, "");
  return addJsonOption(addServerOptions(command)).action(
    async (name: string, options: AddOptions) => {
      const folder = await AuthFolder.open(options.dir);
      const made = await addPrincipal(folder, { name, role, limits: options.limits });
      const message = `The ${role} ${name} can connect with these credentials:`;
      await writeCredentials(folder, options, name, made, message);
    },
  );
}

function parseName(text: string): string {
  const problem = nameProblem(text);
  if (problem === null) return text;
  throw new InvalidArgumentError(problem);
}

function parse(text: string): AccountLimits {
  const limits = parseLimits(text);
  if (typeof limits !== "string") return limits;
  throw new InvalidArgumentError(`${limits}.`);
}
