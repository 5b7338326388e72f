/** What `dev` prints when it is ready: its addresses, and commands to try. */
import { join, resolve } from "node:path";
import type { App } from "../../app.ts";
import type { Config } from "../../config.ts";
import { VERSION } from "../../version.ts";
import { DEFAULT_FOLDER } from "../auth/folder-options.ts";
import { colors } from "../shared/colors.ts";
import { formatCommands, formatRows } from "../shared/rows.ts";
import { shellWord } from "../shared/shell-word.ts";

/** Where commands look for NATS if nothing names a server. */
const DEFAULT_PORT = "4222";

export interface RunningDev {
  readonly config: Config;
  /** Of the NATS server. */
  readonly url: string;
  readonly app: Pick<App, "httpUrl">;
  /** The folder of the secured set-up; `null`: there is none. */
  readonly auth: string | null;
}

export function describeDev({ config, url, app, auth }: RunningDev): string {
  const { dev, workers, startedByNpm } = config;
  // npm does not put the command on the PATH.
  const command = startedByNpm ? "npx if-coordinator" : "if-coordinator";
  const hasDefaultUrl = url.startsWith("nats:") && new URL(url).port === DEFAULT_PORT;
  return [
    colors.bold(`if-coordinator ${VERSION}`),
    "",
    formatRows([
      ["NATS", url],
      ["workers", String(workers)],
      ["HTTP", app.httpUrl === null ? "off" : `${app.httpUrl}/metrics`],
      ["data", resolve(dev.storeDir)],
      ...(auth === null ? [] : [["auth", auth] as const]),
    ]),
    "",
    "Try in other terminals:",
    "",
    formatCommands([
      ...(hasDefaultUrl ? [] : [`export NATS_URL=${url}`]),
      ...(auth === null ? openCommands(command) : securedCommands(command, auth)),
    ]),
    "",
    "Ctrl-C stops everything. The data stays.",
    "",
  ].join("\n");
}

function openCommands(command: string): string[] {
  return [
    `${command} watch`,
    `${command} task create hello --title "Say hello"`,
    `${command} task claim hello --session me`,
  ];
}

function securedCommands(command: string, auth: string): string[] {
  const dir = resolve(DEFAULT_FOLDER) === auth ? "" : ` --dir ${shellWord(auth)}`;
  const creds = (name: string): string => shellWord(join(auth, "creds", `${name}.creds`));
  return [
    `${command} auth add-operator me${dir}`,
    `${command} auth add-agent s1${dir}`,
    `${command} task create hello --title "Say hello" --creds ${creds("me")}`,
    `${command} task claim hello --session s1 --creds ${creds("s1")}`,
  ];
}
