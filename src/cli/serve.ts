/** `if-coordinator serve`: workers and the HTTP endpoint, for a NATS server that is already running. */
import type { Command } from "commander";
import { colors } from "./shared/colors.ts";
import type { Config } from "../config.ts";
import { startWorkers } from "../pool/worker-pool.ts";
import { VERSION } from "../version.ts";
import { addExamples } from "./shared/help.ts";
import { announcementOf } from "./shared/announcement.ts";
import { print } from "./shared/output.ts";
import { formatRows } from "./shared/rows.ts";
import { type Part, runService } from "./shared/run-service.ts";
import { addSettingOptions, configOf } from "./shared/setting-options.ts";

const FLAGS = ["nats", "workers", "http-port", "replicas", "log-level", "log-format"];

export function define(command: Command): void {
  addSettingOptions(command, FLAGS).action(async () => {
    const config = configOf(command);
    await runService(config, (started, signal) => serve(config, started, signal));
  });
  addExamples(command, [
    "serve --nats nats://nats-1:4222,nats://nats-2:4222 --replicas 3",
    "serve --config coordinator.yaml --workers 2 --log-format json",
  ]);
}

async function serve(
  config: Config,
  started: (part: Part) => void,
  signal: AbortSignal,
): Promise<void> {
  const app = await startWorkers(config, { signal });
  started(app);
  const rows = formatRows([
    ["NATS", config.nats.servers.join(", ")],
    ["workers", String(config.workers)],
    ["HTTP", app.httpUrl === null ? "off" : `${app.httpUrl}/metrics`],
  ]);
  print(
    `${colors.bold(`if-coordinator ${VERSION}`)}\n\n${rows}\n`,
    announcementOf(config, app, { nats: config.nats.servers }),
  );
}
