/** The environment of a program that a command starts, and that may call `if-coordinator` itself. */
import {
  clientSettings,
  CONNECTION_VARIABLES,
  type ConnectionFlags,
  loginFromUrl,
} from "./client-settings.ts";
import type { Environment } from "./variables.ts";

/**
 * The environment of this process, changed so that commands of the program reach the same coordinator without
 * options. Programs that know only NATS_URL find the same servers.
 *
 * @throws ContextError
 */
export function commandEnvironment(
  flags: ConnectionFlags,
  env: Environment = process.env,
): Environment {
  const settings = clientSettings(flags, env);
  const connection = Object.entries(CONNECTION_VARIABLES).map(
    // A variable that this command does not use must not apply to the program either.
    ([variable, setting]) => [variable, settings[setting]] as const,
  );
  const isSame = loginFromUrl({ servers: env.NATS_URL ?? "" }).servers === settings.servers;
  return {
    ...env,
    ...Object.fromEntries(connection),
    ...(isSame ? {} : { NATS_URL: settings.servers }),
  };
}
