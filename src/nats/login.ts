/**
 * The credentials and certificates of a connection: how the client proves who it is, and how it verifies
 * the server. Every file is read and checked before the client connects, so a mistake in a file is
 * reported as such and not as a failed connection.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import {
  type Authenticator,
  credsAuthenticator,
  nkeyAuthenticator,
  type NodeConnectionOptions,
} from "@nats-io/transport-node";

export interface LoginOptions {
  /** The name of the NATS user. It is never taken from a URL. */
  readonly username?: string | undefined;
  /** The password of the NATS user. A line end after it is ignored. */
  readonly password?: string | undefined;
  /** Replaces user and password. A line end after it is ignored. */
  readonly token?: string | undefined;
  /** Path of a credentials file. */
  readonly credsFile?: string | undefined;
  /** Path of a file with an NKey seed. */
  readonly nkeyFile?: string | undefined;
  /** Path of the CA certificates that the server is verified with. Makes TLS mandatory, as `tls://` does. */
  readonly caCert?: string | undefined;
  /** Path of the client certificate, for a server that requires one. */
  readonly certFile?: string | undefined;
  /** Path of the private key of `certFile`. */
  readonly keyFile?: string | undefined;
}

/** The names of the options where they are set. Error messages use these names. */
export interface LoginNames {
  readonly servers: string;
  /** The settings that say who connects. */
  readonly user: string;
  readonly credsFile: string;
  readonly nkeyFile: string;
  readonly caCert: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** Both at once. */
  readonly keyAndCert: string;
}

/** For workers and programs. */
export const USER_NAMES: LoginNames = {
  servers: "--nats <url>, or config.servers in a program",
  user:
    "nats.username and nats.password, nats.token, nats.creds_file or nats.nkey_file, which a command " +
    "takes as --user, --creds, --nkey or --context, and a program as config.username and so on",
  credsFile: "nats.creds_file, which a program gives as config.credsFile",
  nkeyFile: "nats.nkey_file, which a program gives as config.nkeyFile",
  caCert: "nats.ca_cert, which a program gives as config.caCert",
  certFile: "nats.cert_file, which a program gives as config.certFile",
  keyFile: "nats.key_file, which a program gives as config.keyFile",
  keyAndCert:
    "nats.key_file and nats.cert_file, which a program gives as config.keyFile and config.certFile",
};

/** A file cannot be used. The message names the file, its setting and the cure. */
export class LoginFileError extends Error {
  override readonly name = "LoginFileError";
}

/** @throws LoginFileError */
export async function credentials(
  options: LoginOptions,
  names: LoginNames,
): Promise<Partial<NodeConnectionOptions>> {
  if (options.credsFile !== undefined) {
    return { authenticator: await credsOf(options.credsFile, names.credsFile) };
  }
  if (options.nkeyFile !== undefined) {
    return { authenticator: await nkeyOf(options.nkeyFile, names.nkeyFile) };
  }
  const user = withoutLineEnd(options.username);
  const pass = withoutLineEnd(options.password);
  const token = withoutLineEnd(options.token);
  return {
    ...(user === undefined ? {} : { user }),
    ...(pass === undefined ? {} : { pass }),
    ...(token === undefined ? {} : { token }),
  };
}

/** Editors and `echo` end a file with a line end, which is not part of the secret. */
function withoutLineEnd(text: string | undefined): string | undefined {
  return text?.replace(/[\r\n]+$/, "");
}

async function credsOf(path: string, setting: string): Promise<Authenticator> {
  const cure =
    `${path} has no user JWT and seed: use the credentials file that "if-coordinator auth" or ` +
    `"nsc generate creds" has written, and correct ${setting}`;
  return readAgain(path, tried(credsAuthenticator(await read(path, setting)), cure));
}

/**
 * Reads the credentials again for each attempt to connect, so that they can be replaced at run time. If the file can
 * no longer be used, the last ones decide.
 */
function readAgain(path: string, first: Authenticator): Authenticator {
  let last = first;
  return (nonce) => {
    try {
      const next = credsAuthenticator(readFileSync(path));
      const answer = next(nonce);
      last = next;
      return answer;
    } catch {
      return last(nonce);
    }
  };
}

async function nkeyOf(path: string, setting: string): Promise<Authenticator> {
  const cure = `${path} has no NKey seed: it begins with SU; make one with "nk -gen user", and correct ${setting}`;
  const seed = (await read(path, setting)).toString("latin1").trim();
  return tried(nkeyAuthenticator(Buffer.from(seed)), cure);
}

/** We try the file now: during the connect, an error would look like a server that does not answer. */
function tried(authenticator: Authenticator, problem: string): Authenticator {
  try {
    authenticator("nonce");
  } catch (cause) {
    throw new LoginFileError(problem, { cause });
  }
  return authenticator;
}

/**
 * The TLS options of the transport. Without any, the server decides whether TLS is used. The transport
 * reads the files again for each attempt to connect, so certificates can be replaced at run time.
 *
 * @throws LoginFileError
 */
export async function tlsOptions(
  { caCert, certFile, keyFile }: LoginOptions,
  isRequired: boolean,
  names: LoginNames,
): Promise<Partial<NodeConnectionOptions>> {
  if (caCert !== undefined) await checkCertificates(caCert, names.caCert);
  const cert = certFile === undefined ? null : await checkCertificates(certFile, names.certFile);
  const key = keyFile === undefined ? null : await checkKey(keyFile, names.keyFile);
  if (cert !== null && key !== null) {
    try {
      createSecureContext({ cert, key });
    } catch (cause) {
      throw new LoginFileError(
        `${keyFile ?? ""} is not the key of the certificate ${certFile ?? ""}: correct ` +
          names.keyAndCert,
        { cause },
      );
    }
  }
  const files = {
    ...(caCert === undefined ? {} : { caFile: caCert }),
    ...(certFile === undefined ? {} : { certFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
  };
  return isRequired || Object.keys(files).length > 0 ? { tls: files } : {};
}

async function checkCertificates(path: string, setting: string): Promise<Buffer> {
  const content = await read(path, setting);
  try {
    new X509Certificate(content);
  } catch (cause) {
    const message = `${path} has no certificate in PEM form: correct the path in ${setting}`;
    throw new LoginFileError(message, { cause });
  }
  return content;
}

async function checkKey(path: string, setting: string): Promise<Buffer> {
  const content = await read(path, setting);
  try {
    createPrivateKey(content);
  } catch (cause) {
    const isEncrypted = cause instanceof Error && "code" in cause && cause.code === NO_PASSPHRASE;
    throw new LoginFileError(
      isEncrypted
        ? `the key in ${path} is encrypted: use a key without a passphrase for ${setting}`
        : `${path} has no private key in PEM form: correct the path in ${setting}`,
      { cause },
    );
  }
  return content;
}

const NO_PASSPHRASE = "ERR_MISSING_PASSPHRASE";

async function read(path: string, setting: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new LoginFileError(
      `${path} cannot be read (${problem}): correct the path in ${setting}`,
      {
        cause,
      },
    );
  }
}
