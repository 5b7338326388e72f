/**
 * The folder of a secured set-up. Nothing is kept twice: what a principal is, its signed account says.
 *
 *     nats-server.conf   for the NATS server
 *     auth.json          where the server is, and what agents see of the tasks of others
 *     keys/              seeds, which sign accounts and users
 *     accounts/          the signed accounts, by name
 *     creds/             credentials files, by name
 *     jwt/               the accounts by public key: the server reads this folder and writes to it
 *     nats/              the data of the server
 *     tls/               certificates, if the server has TLS
 */
import { readdir, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createOperator, fromSeed, type KeyPair } from "@nats-io/nkeys";
import { VISIBILITIES, type Visibility } from "../protocol/visibility.ts";
import { AuthError } from "./auth-error.ts";
import { readAccount } from "./claims.ts";
import {
  createPrivateFile,
  isMissing,
  hideFromGit,
  makePrivateFolder,
  readIfThere,
  unusable,
  writePrivateFile,
} from "./private-files.ts";

/** What `auth.json` contains. */
export interface ServerPlace {
  /** Where the commands find the server. */
  readonly server: string;
  /** What agents see of the tasks of others. Default: all. */
  readonly visibility?: Visibility;
}

const SECRET_FOLDERS = ["keys", "accounts", "creds", "jwt"];

export class AuthFolder {
  readonly path: string;
  readonly place: ServerPlace;
  readonly issuer: KeyPair;

  private constructor(path: string, place: ServerPlace, issuer: KeyPair) {
    this.path = path;
    this.place = place;
    this.issuer = issuer;
  }

  /**
   * Makes the folder with the key of a new issuer. It is complete when `auth.json` is written.
   *
   * @throws AuthError if it is in use
   */
  static async create(path: string, place: ServerPlace): Promise<AuthFolder> {
    const full = resolve(path);
    const entries = await entriesOf(full);
    if (entries.includes("auth.json")) {
      throw new AuthError(
        `${full} has a set-up already: add to it with "auth add-agent", or choose another folder`,
      );
    }
    if (entries.length > 0) {
      throw new AuthError(`${full} is not empty: choose another folder, or remove what is in it`);
    }
    for (const name of ["", ...SECRET_FOLDERS]) await makePrivateFolder(join(full, name));
    hideFromGit(full, ["*"]);
    const issuer = createOperator();
    await writePrivateFile(join(full, "keys", "issuer.nk"), seedOf(issuer));
    return new AuthFolder(full, place, issuer);
  }

  static async isThere(path: string): Promise<boolean> {
    return (await readIfThere(join(path, "auth.json"))) !== null;
  }

  /** @throws AuthError if it is no such folder */
  static async open(path: string): Promise<AuthFolder> {
    const full = resolve(path);
    const [place, seed] = await Promise.all(
      ["auth.json", "keys/issuer.nk"].map((name) => readIfThere(join(full, name))),
    );
    if (place == null || seed == null) {
      throw new AuthError(
        `${full} has no secured set-up: make one with "if-coordinator auth init", or name its folder with --dir`,
      );
    }
    await requirePrivate(join(full, "keys"));
    const issuer = keyIn(join(full, "keys", "issuer.nk"), seed);
    return new AuthFolder(full, placeOf(place, full), issuer);
  }

  /** Where the commands find the server from now on. */
  async writePlace({ server }: ServerPlace): Promise<void> {
    // What agents see was decided when their accounts were signed.
    const { visibility } = this.place;
    const place: ServerPlace = { server, ...(visibility !== undefined && { visibility }) };
    await this.writeText("auth.json", `${JSON.stringify(place, null, 2)}\n`);
  }

  /** Path of the certificate of the authority. `null`: the server has no TLS. */
  async caFile(): Promise<string | null> {
    const path = this.file("tls", "ca.pem");
    return (await readIfThere(path)) === null ? null : path;
  }

  /** The path of a file in the folder. */
  file(...names: readonly string[]): string {
    return join(this.path, ...names);
  }

  writeText(name: string, text: string): Promise<void> {
    return writePrivateFile(this.file(name), text);
  }

  /** Replaces an earlier key. */
  async keepKey(name: string, key: KeyPair): Promise<void> {
    await writePrivateFile(this.file("keys", `${name}.nk`), seedOf(key));
  }

  /** `null`: there is none. */
  async key(name: string): Promise<KeyPair | null> {
    const path = this.file("keys", `${name}.nk`);
    const seed = await readIfThere(path);
    return seed === null ? null : keyIn(path, seed);
  }

  /** `null`: there is no such account. @throws AuthError if the file has no account of this issuer */
  async account(name: string): Promise<string | null> {
    const path = this.file("accounts", `${name}.jwt`);
    const jwt = await readIfThere(path);
    if (jwt === null) return null;
    try {
      readAccount(jwt, this.issuer.getPublicKey());
      return jwt;
    } catch (cause) {
      const cure = `restore it, for example from ${this.file("jwt")}, which has each account by its key`;
      throw damaged(path, cause, cure);
    }
  }

  /** All accounts, by name. */
  async accounts(): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    for (const file of (await entriesOf(this.file("accounts"))).sort()) {
      if (!file.endsWith(".jwt")) continue;
      const name = file.slice(0, -".jwt".length);
      const jwt = await this.account(name);
      if (jwt !== null) found.set(name, jwt);
    }
    return found;
  }

  /** @returns false if there is an account of this name already */
  addAccount(name: string, jwt: string): Promise<boolean> {
    return createPrivateFile(this.file("accounts", `${name}.jwt`), jwt);
  }

  async replaceAccount(name: string, jwt: string): Promise<void> {
    await writePrivateFile(this.file("accounts", `${name}.jwt`), jwt);
  }

  /** For a server that does not run now. */
  async giveToServer(account: string, jwt: string): Promise<void> {
    await writePrivateFile(this.file("jwt", `${account}.jwt`), jwt);
  }

  credentialsFile(name: string): string {
    return this.file("creds", `${name}.creds`);
  }

  credentials(name: string): Promise<string | null> {
    return readIfThere(this.credentialsFile(name));
  }

  async keepCredentials(name: string, text: string): Promise<void> {
    await writePrivateFile(this.credentialsFile(name), text);
  }

  async removeCredentials(name: string): Promise<void> {
    await rm(this.credentialsFile(name), { force: true });
  }
}

/** The folder is missing: it has no entries. */
async function entriesOf(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (isMissing(error)) return [];
    throw unusable(path, error);
  }
}

/** The keys sign anything for anybody, so nobody else may read them. */
async function requirePrivate(path: string): Promise<void> {
  const { mode } = await stat(path);
  if (process.platform === "win32" || (mode & 0o077) === 0) return;
  const found = (mode & 0o777).toString(8);
  throw new AuthError(`others can read ${path} (mode ${found}): run chmod 700 ${path}`);
}

function placeOf(text: string, path: string): ServerPlace {
  try {
    const place: { server?: unknown; visibility?: unknown } = JSON.parse(text) as object;
    const { server, visibility = "all" } = place;
    const known = VISIBILITIES.find((one) => one === visibility);
    if (typeof server === "string" && known !== undefined) return { server, visibility: known };
  } catch {
    // The error below says what is wrong.
  }
  throw new AuthError(`auth.json in ${path} cannot be read: it is {"server": "nats://host:port"}`);
}

function seedOf(key: KeyPair): string {
  return new TextDecoder().decode(key.getSeed());
}

function keyIn(path: string, seed: string): KeyPair {
  try {
    return fromSeed(new TextEncoder().encode(seed.trim()));
  } catch (cause) {
    throw damaged(path, cause, "restore it from a backup");
  }
}

function damaged(path: string, cause: unknown, cure: string): AuthError {
  const problem = cause instanceof Error ? cause.message : String(cause);
  return new AuthError(`${path} is damaged (${problem}): ${cure}`, { cause });
}
