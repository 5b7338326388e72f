/** The configuration of the NATS server of a secured set-up. */

export interface ServerConfigOptions {
  readonly issuerJwt: string;
  readonly systemAccount: string;
  /** The folder from which the server reads the accounts, and to which it writes new ones. */
  readonly accountsFolder: string;
  readonly storeFolder: string;
  readonly host: string;
  readonly port: number;
  /** Paths of PEM files. `null`: no TLS. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
}

export function serverConfig(options: ServerConfigOptions): string {
  const { issuerJwt, systemAccount, accountsFolder, storeFolder, host, port, tls } = options;
  return `# The NATS server of if-coordinator, with an account for each principal. Written by "auth init".
# It has no secrets: the keys are in the folder "keys", which the server does not need.

host: ${quoted(host)}
port: ${port}

store_dir: ${quoted(storeFolder)}
jetstream {
  # Loses at most the last second if the machine loses its power (docs/durability.md).
  sync_interval: 1s
}
${tls === null ? "" : tlsBlock(tls)}
# Who has signed the accounts. A client without credentials is refused.
operator: ${issuerJwt}
system_account: ${systemAccount}

# The server reads the accounts from this folder, and receives new ones while it runs. Every server of a
# cluster has its own copy of the folder. The servers compare their copies at this interval, so one that was
# down learns what it has missed.
resolver {
  type: full
  dir: ${quoted(accountsFolder)}
  allow_delete: false
  interval: "10s"
}
`;
}

function tlsBlock({ certFile, keyFile }: NonNullable<ServerConfigOptions["tls"]>): string {
  return `
tls {
  cert_file: ${quoted(certFile)}
  key_file: ${quoted(keyFile)}
}
`;
}

/** A backslash would begin an escape sequence. */
function quoted(text: string): string {
  return JSON.stringify(text.replaceAll("\\", "/"));
}
