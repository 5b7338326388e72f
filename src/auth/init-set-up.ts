/** Makes the folder of a secured set-up. */
import { isIP } from "node:net";
import { join } from "node:path";
import { createAccount, createUser } from "@nats-io/nkeys";
import { AuthError } from "./auth-error.ts";
import { AuthFolder, type ServerPlace } from "./auth-folder.ts";
import { Authority } from "./certificates.ts";
import { credentialsOf, issuerJwt } from "./claims.ts";
import { makePrivateFolder } from "./private-files.ts";
import { serverConfig, type ServerConfigOptions } from "./server-config.ts";
import { FOUNDATION_JWT, SERVICE_USERS, type ServiceUser } from "./service-users.ts";

/** Where the server is, and where its data are. */
export interface Placement extends ServerPlace, Pick<ServerConfigOptions, "host" | "port"> {
  /** Default: in the folder of the set-up. */
  readonly storeFolder?: string;
}

export interface InitOptions extends Placement {
  /** The host names and addresses for which the server gets a certificate. `null`: no TLS. */
  readonly tlsFor: readonly string[] | null;
}

/** @throws AuthError */
export async function initSetUp(path: string, options: InitOptions): Promise<AuthFolder> {
  const { server, visibility = "all" } = options;
  const folder = await AuthFolder.create(path, { server, visibility });
  const keys = { system: createAccount(), coordinator: createAccount() };
  for (const name of ["system", "coordinator"] as const) {
    await folder.keepKey(name, keys[name]);
    const account = keys[name].getPublicKey();
    const jwt = await FOUNDATION_JWT[name](account, folder.issuer);
    await folder.replaceAccount(name, jwt);
    await folder.giveToServer(account, jwt);
  }
  for (const user of Object.keys(SERVICE_USERS) as ServiceUser[]) {
    const { account, permissions } = SERVICE_USERS[user];
    const text = await credentialsOf(user, createUser(), keys[account], permissions);
    await folder.keepCredentials(user, text);
  }
  if (options.tlsFor !== null) await writeCertificates(folder, options.tlsFor);
  await writeServerFiles(folder, options);
  return folder;
}

/** Writes what says where the server is: for the server itself, for workers and for the commands. */
export async function writeServerFiles(folder: AuthFolder, placement: Placement): Promise<void> {
  await folder.writeText("nats-server.conf", await serverConfigOf(folder, placement));
  await folder.writeText("coordinator.yaml", await workerConfig(folder, placement.server));
  await folder.writePlace(placement);
}

/** The configuration of the NATS server. */
export async function serverConfigOf(
  folder: AuthFolder,
  { host, port, storeFolder = folder.file("nats") }: Placement,
): Promise<string> {
  const system = await folder.key("system");
  if (system === null) throw new AuthError(`${folder.path} has no key of the system account`);
  const systemAccount = system.getPublicKey();
  return serverConfig({
    host,
    port,
    storeFolder,
    systemAccount,
    issuerJwt: await issuerJwt(folder.issuer, systemAccount),
    accountsFolder: folder.file("jwt"),
    tls:
      (await folder.caFile()) === null
        ? null
        : { certFile: folder.file(...SERVER_CERTIFICATE), keyFile: folder.file(...SERVER_KEY) },
  });
}

const SERVER_CERTIFICATE = ["tls", "server.pem"] as const;
const SERVER_KEY = ["tls", "server.key"] as const;

async function writeCertificates(folder: AuthFolder, hosts: readonly string[]): Promise<void> {
  await makePrivateFolder(folder.file("tls"));
  const authority = new Authority("if-coordinator");
  const { cert, key } = authority.issue("nats-server", {
    names: hosts.filter((host) => isIP(host) === 0),
    ips: hosts.filter((host) => isIP(host) !== 0),
  });
  await folder.writeText(join("tls", "ca.pem"), authority.certificate());
  await folder.writeText(join(...SERVER_CERTIFICATE), cert);
  await folder.writeText(join(...SERVER_KEY), key);
}

/** For `serve --config`. A text of JSON is one of YAML. */
async function workerConfig(folder: AuthFolder, server: string): Promise<string> {
  const text = (path: string): string => JSON.stringify(path);
  const caFile = await folder.caFile();
  const ca = caFile === null ? "" : `\n    ca_cert: ${text(caFile)}`;
  const { visibility = "all" } = folder.place;
  return `# The workers of if-coordinator. Written by "auth init".
coordinator:
  auth:
    mode: accounts
    visibility: ${visibility}
  nats:
    servers: [${text(server)}]
    creds_file: ${text(folder.credentialsFile("worker"))}
    system_creds_file: ${text(folder.credentialsFile("reports"))}${ca}
`;
}
