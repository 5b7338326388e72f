/** What `auth add-agent` and `auth add-operator` share. */
import { type Command, InvalidArgumentError } from "commander";
import { AuthFolder } from "../../auth/auth-folder.ts";
import {
  DEFAULT_LIMITS,
  formatLimits,
  parseLimits,
  type PrincipalLimits,
} from "../../auth/limits.ts";
import { nameProblem, type Role } from "../../auth/names.ts";
import { addPrincipal } from "../../auth/principals.ts";
import { isValidPrefix, LIMIT_NAMES, PREFIX_RULE } from "../../protocol/principal-rules.ts";
import { addJsonOption } from "../shared/data.ts";
import { addServerOptions, type ServerOptions } from "./folder-options.ts";
import { writeCredentials } from "./write-credentials.ts";

interface AddOptions extends ServerOptions {
  readonly limits?: PrincipalLimits;
  readonly prefix?: readonly string[];
}

export function defineAdd(command: Command, role: Role, meaning: string): Command {
  command
    .argument("<name>", meaning, parseName)
    .option(
      "--limits <limits>",
      `what NATS allows it (default: ${formatLimits(DEFAULT_LIMITS)}), and limits of its own ` +
        `instead of those of the workers: ${LIMIT_NAMES.join(", ")}`,
      parse,
    )
    .option("--prefix <prefix>", "ids that begin with this belong to it; can be repeated", collect);
  return addJsonOption(addServerOptions(command)).action(
    async (name: string, options: AddOptions) => {
      const folder = await AuthFolder.open(options.dir);
      const { limits, prefix } = options;
      const isGiven = prefix !== undefined || Object.keys(limits?.own ?? {}).length > 0;
      const made = await addPrincipal(folder, {
        name,
        role,
        limits: limits?.account ?? DEFAULT_LIMITS,
        rules: isGiven ? { prefixes: prefix ?? [], limits: limits?.own ?? {} } : undefined,
      });
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

function collect(prefix: string, before: readonly string[] = []): string[] {
  if (isValidPrefix(prefix)) return [...before, prefix];
  throw new InvalidArgumentError(`Use ${PREFIX_RULE}`);
}

function parse(text: string): PrincipalLimits {
  const limits = parseLimits(text);
  if (typeof limits !== "string") return limits;
  throw new InvalidArgumentError(`${limits}.`);
}
