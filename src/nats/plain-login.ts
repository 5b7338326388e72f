/**
 * To which servers a command connects without the NATS library, and how it logs in there. In all other cases,
 * also for a mistake in the options, the library connects or says what is wrong.
 */
import { readFileSync } from "node:fs";
import type { ConnectOptions } from "./connection.ts";
import { checkInboxPrefix, hostAndPortOf, parseServers } from "./connection-values.ts";

/** The fields of the server's INFO that matter here. */
export interface ServerInfo {
  readonly max_payload?: number;
  readonly headers?: boolean;
  readonly tls_required?: boolean;
  readonly tls_available?: boolean;
  /** To be signed by those who log in with a key. */
  readonly nonce?: string;
}

/** `null`: the library has to choose a server or use TLS, or the options have a mistake. */
export function plainServer(options: ConnectOptions): ReturnType<typeof hostAndPortOf> | null {
  const { servers, inboxPrefix, caCert, certFile, keyFile } = options;
  if ([caCert, certFile, keyFile].some((file) => file !== undefined)) return null;
  try {
    if (inboxPrefix !== undefined) checkInboxPrefix(inboxPrefix);
    const { urls, requiresTls } = parseServers(servers);
    const [url, ...others] = urls;
    return url === undefined || others.length > 0 || requiresTls ? null : hostAndPortOf(url);
  } catch {
    return null;
  }
}

/**
 * The fields of CONNECT for a user, a token, credentials or nothing.
 *
 * @returns `null`: the server wants TLS, or the login is of another kind, or its file cannot be used
 */
export async function plainLogin(
  options: ConnectOptions,
  info: ServerInfo,
): Promise<object | null> {
  const { username: user, password: pass, token: auth_token, credsFile, nkeyFile } = options;
  if (info.tls_required === true || info.tls_available === true || info.headers !== true)
    return null;
  if (nkeyFile !== undefined) return null;
  if (credsFile !== undefined) return await withCredentials(credsFile, info.nonce ?? "");
  const fields = Object.entries({ user, pass, auth_token });
  // Editors and `echo` end a file with a line end, which is not part of the secret.
  return Object.fromEntries(fields.map(([name, value]) => [name, value?.replace(/[\r\n]+$/, "")]));
}

async function withCredentials(path: string, nonce: string): Promise<object | null> {
  try {
    const text = readFileSync(path, "latin1");
    const seed = contentOf(text, "USER NKEY SEED");
    return { jwt: contentOf(text, "NATS USER JWT"), sig: await signed(nonce, seed) };
  } catch {
    return null;
  }
}

/** @throws Error if the file has no such part */
function contentOf(text: string, part: string): string {
  const [, content] = new RegExp(`BEGIN ${part}-+\\s+(\\S+)\\s`).exec(text) ?? [];
  if (content === undefined) throw new Error(`there is no ${part}`);
  return content;
}

/** What comes before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410). */
const PKCS8_BEGIN = Buffer.from("302e020100300506032b657004220420", "hex");
/** A seed has two bytes for its kind, the key, and two bytes of a checksum. */
const KEY_BEGIN = 2;
const KEY_END = 34;

/** @throws Error if the seed has no key */
async function signed(nonce: string, seed: string): Promise<string> {
  const { createPrivateKey, sign } = await import("node:crypto");
  const key = Buffer.concat([PKCS8_BEGIN, fromBase32(seed).subarray(KEY_BEGIN, KEY_END)]);
  const privateKey = createPrivateKey({ key, format: "der", type: "pkcs8" });
  return sign(null, Buffer.from(nonce), privateKey).toString("base64url");
}

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

function fromBase32(text: string): Buffer {
  const bits = Array.from(text, (char) => BASE32.indexOf(char).toString(2).padStart(5, "0")).join(
    "",
  );
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
