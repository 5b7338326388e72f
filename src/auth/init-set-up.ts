/** Makes the folder of a secured set-up. */
import { isIP } from "node:net";
import { join } from "node:path";
import { createAccount, createUser } from "@nats-io/nkeys";
import { AuthFolder, type ServerPlace } from "./auth-folder.ts";
import { Authority } from "./certificates.ts";
import { credentialsOf, issuerJwt } from "./claims.ts";
import { makePrivateFolder } from "./private-files.ts";
import { serverConfig, type ServerConfigOptions } from "./server-config.ts";
import { FOUNDATION_JWT, SERVICE_USERS, type ServiceUser } from "./service-users.ts";

export interface InitOptions extends ServerPlace, Pick<ServerConfigOptions, "host" | "port"> {
  /** The host names and addresses for which the server gets a certificate. `null`: no TLS. */
  readonly tlsFor: readonly string[] | null;
}

/** @throws AuthError */
export async function initSetUp(path: string, options: InitOptions): Promise<AuthFolder> {
  const { server, tlsFor, ...listen } = options;
  const folder = await AuthFolder.create(path, { server });
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
  const systemAccount = keys.system.getPublicKey();
  const config = serverConfig({
    ...listen,
    tls: tlsFor === null ? null : await writeCertificates(folder, tlsFor),
    systemAccount,
    issuerJwt: await issuerJwt(folder.issuer, systemAccount),
    accountsFolder: folder.file("jwt"),
    storeFolder: folder.file("nats"),
  });
  await folder.writeText("nats-server.conf", config);
  await folder.writeText("coordinator.yaml", workerConfig(folder, server, tlsFor !== null));
  return folder;
}

async function writeCertificates(
  folder: AuthFolder,
  hosts: readonly string[],
): Promise<ServerConfigOptions["tls"]> {
  await makePrivateFolder(folder.file("tls"));
  const authority = new Authority("if-coordinator");
  const { cert, key } = authority.issue("nats-server", {
    names: hosts.filter((host) => isIP(host) === 0),
    ips: hosts.filter((host) => isIP(host) !== 0),
  });
  await folder.writeText(join("tls", "ca.pem"), authority.certificate());
  await folder.writeText(join("tls", "server.pem"), cert);
  await folder.writeText(join("tls", "server.key"), key);
  return { certFile: folder.file("tls", "server.pem"), keyFile: folder.file("tls", "server.key") };
}

/** For `serve --config`. JSON is YAML. */
function workerConfig(folder: AuthFolder, server: string, hasTls: boolean): string {
  const text = (path: string): string => JSON.stringify(path);
  const ca = hasTls ? `\n    ca_cert: ${text(folder.file("tls", "ca.pem"))}` : "";
  return `# The workers of if-coordinator. Written by "auth init".
coordinator:
  auth:
    mode: accounts
  nats:
    servers: [${text(server)}]
    creds_file: ${text(folder.credentialsFile("worker"))}
    system_creds_file: ${text(folder.credentialsFile("reports"))}${ca}
`;
}
