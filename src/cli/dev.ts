/** `if-coordinator dev`: a NATS server, workers and the HTTP endpoint in one command. */
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { type Config, loadConfig } from "../config.ts";
import {
  NatsServerError,
  resolveServerBinary,
  type RestartableServer,
  startDevServer,
  type SystemUser,
} from "../nats-server/dev-server.ts";
import { startWorkers } from "../pool/worker-pool.ts";
import { addExamples } from "./shared/help.ts";
import { announcementOf } from "./shared/announcement.ts";
import { print, printError } from "./shared/output.ts";
import { describeDev } from "./dev/describe.ts";
import {
  hasSecureSetUp,
  notePort,
  openSecureSetUp,
  type SecureSetUp,
} from "./dev/secure-set-up.ts";
import { RefusalRestarts } from "./dev/refusal-restarts.ts";
import { type Part, runService } from "./shared/run-service.ts";
import { addSettingOptions, configOf } from "./shared/setting-options.ts";

const FLAGS = ["port", "http-port", "store-dir", "secure", "workers", "log-level", "log-format"];

const NOT_SECURED =
  "this folder has a secured set-up, but dev was started without --secure: everyone on this machine has " +
  "access, and the tasks of the secured set-up are not shown";

/** It is part of the package. */
const SERVER_CONFIG = new URL("../../../nats-server.conf", import.meta.url);

export function define(command: Command): void {
  addSettingOptions(command, FLAGS).action(async () => {
    const config = configOf(command);
    await runService(config, (started, signal) => dev(config, started, signal));
  });
  addExamples(command, [
    "dev",
    "dev --secure",
    "dev --port 4333 --http-port 0 --store-dir /tmp/coordinator",
  ]);
}

async function dev(
  config: Config,
  started: (part: Part) => void,
  signal: AbortSignal,
): Promise<void> {
  const { port, storeDir } = config.dev;
  const secured = config.dev.secure
    ? await openSecureSetUp(storeDir, port, config.auth.visibility)
    : null;
  if (secured === null && (await hasSecureSetUp(storeDir))) printError(NOT_SECURED);
  const binary = await resolveServerBinary({ ...config.dev, notify: printError });
  const systemUser = { username: "if-coordinator", password: randomUUID() };
  const server = await startDevServer({
    binary,
    port,
    storeDir,
    config: secured?.serverConfig ?? (await readFile(SERVER_CONFIG, "utf8")),
    // In a secured set-up, the accounts are not in the configuration.
    ...(secured === null && { systemUser }),
    notify: printError,
    signal,
  });
  const restarts = new RefusalRestarts({ restart: () => server.restart(), notify: printError });
  started(partOf(server, restarts, storeDir));
  const { observe } = restarts;
  const url = secured === null ? server.url : await notePort(secured, storeDir, server.port);
  const login = secured === null ? loginOf(systemUser) : securedLogin(secured);
  const app = await startWorkers(configFor(url, login, config), { signal, observe });
  started(app);
  const auth = secured?.folder.path ?? null;
  const fields = { nats: [url], data: resolve(storeDir), ...(auth !== null && { auth }) };
  print(describeDev({ config, url, app, auth }), announcementOf(config, app, fields));
}

/** How the workers log in. */
type Login = Pick<Config, "auth"> & { readonly nats: Partial<Config["nats"]> };

/** The server has no users except for our system user. */
function loginOf({ username, password }: SystemUser): Login {
  return {
    auth: { mode: "open", visibility: "all" },
    nats: { systemUsername: username, systemPassword: password },
  };
}

function securedLogin({ folder, caFile }: SecureSetUp): Login {
  return {
    auth: { mode: "accounts", visibility: folder.place.visibility ?? "all" },
    nats: {
      credsFile: folder.credentialsFile("worker"),
      systemCredsFile: folder.credentialsFile("reports"),
      caCert: caFile ?? undefined,
    },
  };
}

/** The server is one node of ours. The settings for `serve` do not apply. */
function configFor(url: string, login: Login, config: Config): Config {
  const { nats } = loadConfig({ env: {} });
  // The server is running.
  const connectTimeoutSeconds = 0;
  return {
    ...config,
    replicas: 1,
    auth: login.auth,
    nats: { ...nats, ...login.nats, connectTimeoutSeconds, servers: [url] },
  };
}

function partOf(server: RestartableServer, restarts: RefusalRestarts, storeDir: string): Part {
  let stopping = false;
  const failed = server.exited.then(({ code, signal }): Promise<never> => {
    // An end that was asked for is not a failure.
    if (stopping) return new Promise(() => undefined);
    const how = signal ?? `code ${String(code)}`;
    const log = join(storeDir, "run", "nats-server.log");
    throw new NatsServerError(`nats-server ended unexpectedly (${how}): see ${log}`);
  });
  return {
    failed,
    stop: () => {
      stopping = true;
      restarts.stop();
      return server.stop();
    },
  };
}
