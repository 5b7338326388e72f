/** `if-coordinator dev`: a NATS server, workers and the HTTP endpoint in one command. */
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { colors } from "./shared/colors.ts";
import type { App } from "../app.ts";
import { type Config, loadConfig } from "../config.ts";
import {
  NatsServerError,
  resolveServerBinary,
  type RestartableServer,
  startDevServer,
  type SystemUser,
} from "../nats-server/dev-server.ts";
import { startWorkers } from "../pool/worker-pool.ts";
import { VERSION } from "../version.ts";
import { addExamples } from "./shared/help.ts";
import { announcementOf, formatCommands, formatRows, print, printError } from "./shared/output.ts";
import { RefusalRestarts } from "./dev/refusal-restarts.ts";
import { type Part, runService } from "./shared/run-service.ts";
import { addSettingOptions, configOf } from "./shared/setting-options.ts";

const FLAGS = ["port", "http-port", "store-dir", "workers", "log-level", "log-format"];

/** Where commands look for NATS if nothing names a server. */
const DEFAULT_PORT = 4222;

/** It is part of the package. */
const SERVER_CONFIG = new URL("../../../nats-server.conf", import.meta.url);

export function define(command: Command): void {
  addSettingOptions(command, FLAGS).action(async () => {
    const config = configOf(command);
    await runService(config, (started, signal) => dev(config, started, signal));
  });
  addExamples(command, ["dev", "dev --port 4333 --http-port 0 --store-dir /tmp/coordinator"]);
}

async function dev(
  config: Config,
  started: (part: Part) => void,
  signal: AbortSignal,
): Promise<void> {
  const { port, storeDir } = config.dev;
  const binary = await resolveServerBinary({ ...config.dev, notify: printError });
  const systemUser = { username: "if-coordinator", password: randomUUID() };
  const server = await startDevServer({
    binary,
    port,
    storeDir,
    config: await readFile(SERVER_CONFIG, "utf8"),
    systemUser,
    notify: printError,
  });
  const restarts = new RefusalRestarts({ restart: () => server.restart(), notify: printError });
  started(partOf(server, restarts, storeDir));
  const { observe } = restarts;
  const app = await startWorkers(configFor(server.url, systemUser, config), { signal, observe });
  started(app);
  const fields = { nats: [server.url], data: resolve(storeDir) };
  print(describe(config, server, app), announcementOf(config, app, fields));
}

/** The server is one node without users, except for our system user. The settings for `serve` do not apply. */
function configFor(url: string, { username, password }: SystemUser, config: Config): Config {
  const { nats } = loadConfig({ env: {} });
  const system = { systemUsername: username, systemPassword: password };
  // The server is running.
  const connectTimeoutSeconds = 0;
  return {
    ...config,
    replicas: 1,
    nats: { ...nats, ...system, connectTimeoutSeconds, servers: [url] },
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

function describe(
  { dev, workers, startedByNpm }: Config,
  server: RestartableServer,
  app: Pick<App, "httpUrl">,
): string {
  // npm does not put the command on the PATH.
  const command = startedByNpm ? "npx if-coordinator" : "if-coordinator";
  return [
    colors.bold(`if-coordinator ${VERSION}`),
    "",
    formatRows([
      ["NATS", server.url],
      ["workers", String(workers)],
      ["HTTP", app.httpUrl === null ? "off" : `${app.httpUrl}/metrics`],
      ["data", resolve(dev.storeDir)],
    ]),
    "",
    "Try in other terminals:",
    "",
    formatCommands([
      ...(server.port === DEFAULT_PORT ? [] : [`export NATS_URL=${server.url}`]),
      `${command} watch`,
      `${command} task create hello --title "Say hello"`,
      `${command} task claim hello --session me`,
    ]),
    "",
    "Ctrl-C stops everything. The data stays.",
    "",
  ].join("\n");
}
