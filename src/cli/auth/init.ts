/** `if-coordinator auth init`: a secured set-up for one NATS server, in a new folder. */
import { isIP } from "node:net";
import { type Command, InvalidArgumentError, Option } from "commander";
import { initSetUp } from "../../auth/init-set-up.ts";
import { clientSettings } from "../../config/client-settings.ts";
import { ConnectionValueError, hostAndPortOf, parseServers } from "../../nats/connection-values.ts";
import { VISIBILITIES, type Visibility } from "../../protocol/visibility.ts";
import { addJsonOption, type OutputOptions, show } from "../shared/data.ts";
import { UsageError } from "../shared/errors.ts";
import { addExamples } from "../shared/help.ts";
import { formatCommands } from "../shared/rows.ts";
import { collectList, parseText } from "../shared/parse-values.ts";
import { shellWord } from "../shared/shell-word.ts";
import { DEFAULT_FOLDER } from "./folder-options.ts";

interface InitOptions extends OutputOptions {
  readonly nats?: string;
  readonly host: string;
  readonly tls?: readonly string[] | true;
  readonly visibility: Visibility;
}

export function define(command: Command): void {
  command
    .argument("[folder]", "a new folder for the set-up", parseText, DEFAULT_FOLDER)
    .option(
      "--nats <url>",
      "where clients will reach the NATS server (default: NATS_URL, or nats://localhost:4222)",
      parseText,
    )
    .option("--host <address>", "address on which it will listen", parseHost, "127.0.0.1")
    .option(
      "--tls [host,...]",
      "TLS, with a certificate for these names and addresses, localhost and the host of --nats; " +
        "a --nats that begins with tls:// implies it",
      parseHosts,
    );
  command.addOption(
    new Option("--visibility <what>", "what agents see of the tasks of others")
      .choices(VISIBILITIES)
      .default("all"),
  );
  addJsonOption(command).action(init);
  addExamples(command, [
    "auth init",
    "auth init /etc/if-coordinator --nats nats://nats-1:4222 --host 0.0.0.0 --tls 10.0.0.5",
  ]);
}

async function init(path: string, options: InitOptions): Promise<void> {
  const { place, requiresTls } = serverOf(options.nats);
  const isTls = requiresTls || options.tls !== undefined;
  const authority = isIP(place.host) === 6 ? `[${place.host}]` : place.host;
  const named = options.tls === undefined || options.tls === true ? [] : options.tls;
  const folder = await initSetUp(path, {
    server: `${isTls ? "tls" : "nats"}://${authority}:${place.port}`,
    host: options.host,
    port: place.port,
    visibility: options.visibility,
    tlsFor: isTls ? [...new Set(["localhost", "127.0.0.1", place.host, ...named])] : null,
  });
  const file = (...names: string[]): string => folder.file(...names);
  const document = {
    ok: true,
    folder: folder.path,
    server: folder.place.server,
    visibility: options.visibility,
    server_config: file("nats-server.conf"),
    worker_config: file("coordinator.yaml"),
    ca: isTls ? file("tls", "ca.pem") : null,
  };
  const dir = path === DEFAULT_FOLDER ? "" : ` --dir ${shellWord(path)}`;
  await show(options, document, () =>
    [
      `A secured set-up is in ${folder.path}. Next:`,
      "",
      formatCommands([
        `nats-server -c ${shellWord(file("nats-server.conf"))}`,
        `if-coordinator serve --config ${shellWord(file("coordinator.yaml"))}`,
        `if-coordinator auth add-operator <name>${dir}`,
        `if-coordinator auth add-agent <name>${dir}`,
      ]),
      "",
      "Everyone who can read its folder keys can let anybody in: keep it to yourself.",
      ...(isTls
        ? [`Clients need the certificate of the authority: --tlsca ${file("tls", "ca.pem")}`]
        : []),
    ].join("\n"),
  );
}

/** Where clients will reach the server. @throws UsageError */
function serverOf(nats: string | undefined): {
  readonly place: { readonly host: string; readonly port: number };
  readonly requiresTls: boolean;
} {
  const source = nats === undefined ? "NATS_URL" : "--nats";
  const { servers = "" } = clientSettings(nats === undefined ? {} : { nats });
  try {
    const { urls, requiresTls } = parseServers(servers);
    const [url = "", ...others] = urls;
    if (others.length > 0) {
      throw new UsageError(`${source} names ${urls.length} servers: name one with --nats <url>`);
    }
    return { place: hostAndPortOf(url), requiresTls };
  } catch (error) {
    if (!(error instanceof ConnectionValueError)) throw error;
    throw new UsageError(`${source} ${error.message}`);
  }
}

/** A name of a host, also with `*` in place of its first part. */
const HOST_NAME = /^(?:\*\.)?[\w-]+(?:\.[\w-]+)*$/;

function parseHosts(text: string): string[] {
  const hosts = collectList(text);
  const wrong = hosts.find((host) => isIP(host) === 0 && !HOST_NAME.test(host));
  if (hosts.length > 0 && wrong === undefined) return hosts;
  throw new InvalidArgumentError(
    "It must be names of hosts or addresses, such as nats-1.example.com,10.0.0.5.",
  );
}

function parseHost(text: string): string {
  if (isIP(text) !== 0 || (HOST_NAME.test(text) && !text.startsWith("*"))) return text;
  throw new InvalidArgumentError("It must be an address or the name of a host, such as 0.0.0.0.");
}
