/**
 * How a command reaches the coordinator: from its options, a context of the `nats` command line, and the
 * environment. Workers are configured by `config.ts`, whose schemas would slow each command down.
 */
import { homedir } from "node:os";
import { join } from "node:path";
import type { ConnectionSettings } from "./connection-settings.ts";
import { contextsIn, readContext } from "./nats-contexts.ts";
import {
  ATTEMPT_VARIABLE,
  type Environment,
  SESSION_VARIABLE,
  TASK_VARIABLE,
} from "./variables.ts";

/** The options of a command, by their names. */
export interface ConnectionFlags {
  readonly nats?: string;
  readonly context?: string;
  readonly creds?: string;
  readonly nkey?: string;
  readonly user?: string;
  readonly password?: string;
  readonly tlsca?: string;
  readonly tlscert?: string;
  readonly tlskey?: string;
  readonly inboxPrefix?: string;
}

/** The settings of workers that apply to commands, too. */
export const CONNECTION_VARIABLES: Readonly<Record<string, keyof ConnectionSettings>> = {
  IF_COORDINATOR_NATS_SERVERS: "servers",
  IF_COORDINATOR_NATS_USERNAME: "username",
  IF_COORDINATOR_NATS_PASSWORD: "password",
  IF_COORDINATOR_NATS_TOKEN: "token",
  IF_COORDINATOR_NATS_CREDS_FILE: "credsFile",
  IF_COORDINATOR_NATS_NKEY_FILE: "nkeyFile",
  IF_COORDINATOR_NATS_CA_CERT: "caCert",
  IF_COORDINATOR_NATS_CERT_FILE: "certFile",
  IF_COORDINATOR_NATS_KEY_FILE: "keyFile",
  IF_COORDINATOR_NATS_INBOX_PREFIX: "inboxPrefix",
  IF_COORDINATOR_NATS_JS_DOMAIN: "jsDomain",
};
const FLAGS: Readonly<Record<keyof ConnectionFlags, keyof ConnectionSettings | null>> = {
  nats: "servers",
  context: null,
  creds: "credsFile",
  nkey: "nkeyFile",
  user: "username",
  password: "password",
  tlsca: "caCert",
  tlscert: "certFile",
  tlskey: "keyFile",
  inboxPrefix: "inboxPrefix",
};
const LOGIN: readonly (keyof ConnectionSettings)[] = [
  ...(["username", "password", "token", "credsFile", "nkeyFile"] as const),
];

const DEFAULT_SERVERS = "nats://localhost:4222";

/**
 * Options win over a context, and a context over the environment. If an option says who connects, no other
 * source does: a password of a context must not be sent with another user's name.
 *
 * @throws ContextError
 */
export function clientSettings(
  flags: ConnectionFlags,
  env: Environment = process.env,
): ConnectionSettings {
  const given = loginFromUrl(renamed(flags as Readonly<Record<string, unknown>>, FLAGS));
  const base = settingsWithoutFlags(flags, env);
  const login = namesUser(given)
    ? Object.fromEntries(Object.entries(base).filter(([field]) => !isLogin(field)))
    : base;
  return { servers: DEFAULT_SERVERS, ...login, ...given };
}

/** The names of the contexts that `readContext` finds. */
export function contextNames(env: Environment = process.env): readonly string[] {
  return contextsIn(configHomeOf(env));
}

function configHomeOf(env: Environment): string {
  return env.XDG_CONFIG_HOME ?? join(env.HOME ?? homedir(), ".config");
}

function settingsWithoutFlags(
  { context, nats }: ConnectionFlags,
  env: Environment,
): ConnectionSettings {
  const ofContext = (name: string): ConnectionSettings =>
    loginFromUrl(readContext(name, configHomeOf(env)));
  if (context !== undefined) return ofContext(context);
  const own = renamed(env, CONNECTION_VARIABLES);
  if (own.servers !== undefined) return own;
  if (isSet(env.NATS_CONTEXT)) return { ...ofContext(env.NATS_CONTEXT), ...own };
  // The URL can have a password, which is for that server only.
  if (nats !== undefined || !isSet(env.NATS_URL)) return own;
  return { ...loginFromUrl({ servers: env.NATS_URL }), ...own };
}

function renamed(
  from: Readonly<Record<string, unknown>>,
  names: Readonly<Record<string, keyof ConnectionSettings | null>>,
): ConnectionSettings {
  const entries = Object.entries(names).flatMap(([name, setting]) => {
    const value = from[name];
    return setting !== null && isSet(value) ? [[setting, value]] : [];
  });
  return Object.fromEntries(entries) as ConnectionSettings;
}

/** The `nats` command line takes `nats://user:password@host`. Here they are settings of their own. */
export function loginFromUrl(settings: ConnectionSettings): ConnectionSettings {
  const [, scheme, user, , password, rest] =
    /^(\w+:\/\/)([^:@/,]+)(:([^@/,]*))?@([^@]*)$/.exec(settings.servers ?? "") ?? [];
  if (user === undefined) return settings;
  const moved = { ...settings, servers: `${scheme ?? ""}${rest ?? ""}` };
  if (namesUser(settings)) return moved;
  // A single name before @ is a token.
  return password === undefined
    ? { ...moved, token: decoded(user) }
    : { username: decoded(user), password: decoded(password), ...moved };
}

/** A password such as `100%` is not encoded. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function isSet(value: unknown): value is string {
  return value !== undefined && value !== "";
}

function namesUser(settings: ConnectionSettings): boolean {
  return LOGIN.some((field) => field in settings && field !== "password");
}

function isLogin(field: string): boolean {
  return LOGIN.some((known) => known === field);
}

/** The session of a command, if it is not an option: from IF_COORDINATOR_SESSION. */
export function sessionFromEnvironment(env: Environment = process.env): string | undefined {
  const session = env[SESSION_VARIABLE];
  return isSet(session) ? session : undefined;
}

/**
 * The attempt of the claim for which `if-coordinator run` has started this process, so that the process
 * cannot act for a later claim of its session. `undefined` for another task.
 */
export function attemptFromEnvironment(
  taskId: string,
  env: Environment = process.env,
): number | undefined {
  const attempt = env[ATTEMPT_VARIABLE] ?? "";
  return env[TASK_VARIABLE] === taskId && /^\d{1,15}$/.test(attempt) ? Number(attempt) : undefined;
}
