/**
 * The environment of processes that the program starts for itself. They get the variables that they need, so
 * that a secret in the environment of a command stays there. Programs of the user, such as npm, Go and the
 * command of `run`, get the whole environment, because their own settings are in it.
 */
import type { Environment } from "./variables.ts";

const COMMON = [
  ...["PATH", "HOME", "TMPDIR", "TMP", "TEMP", "TZ", "LANG", "LC_ALL", "LC_CTYPE"],
  ...["LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR"],
  // Windows cannot start programs, or open a socket, without these.
  ...["SystemRoot", "SystemDrive", "windir", "ComSpec", "PATHEXT", "USERPROFILE"],
];
/** Of nats-server, which is written in Go. */
const GO = ["GOMAXPROCS", "GOMEMLIMIT", "GOGC", "GODEBUG", "GOTRACEBACK"];
/** Of a worker. Its settings are sent to it. */
const NODE = [
  ...["NODE_OPTIONS", "NODE_ENV", "NODE_DEBUG", "NODE_V8_COVERAGE", "NODE_COMPILE_CACHE"],
  ...["NODE_EXTRA_CA_CERTS", "NODE_TLS_REJECT_UNAUTHORIZED", "OPENSSL_CONF", "UV_THREADPOOL_SIZE"],
  ...["TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "CI"],
];

/** For nats-server, and for other programs that need no settings. */
export function serverEnvironment(env: Environment = process.env): NodeJS.ProcessEnv {
  return pick([...COMMON, ...GO], env);
}

/** For a worker in a process of its own. */
export function workerEnvironment(env: Environment = process.env): NodeJS.ProcessEnv {
  return pick([...COMMON, ...NODE], env);
}

function pick(names: readonly string[], env: Environment): NodeJS.ProcessEnv {
  const set = names.filter((name) => env[name] !== undefined);
  return Object.fromEntries(set.map((name) => [name, env[name]]));
}
