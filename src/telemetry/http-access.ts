/** Who is answered over HTTP: clients that use a known name of this machine, and for metrics a token. */
import { createHash, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";

export interface HttpAccess {
  /** The address on which the endpoint listens. */
  readonly host: string;
  /** Further names by which clients reach it. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** What `/metrics` needs. Unset: nothing. */
  readonly token?: string | undefined;
  /** Path of a file with the token. */
  readonly tokenFile?: string | undefined;
}

/**
 * Whether the `Host` of a request is one that no stranger can have. A web page of a stranger can let its own
 * name lead to this machine (DNS rebinding) and would then read the answers. It cannot do so with an address,
 * or with a name without a dot, such as that of a Compose service. Browsers always send a `Host`.
 */
export function isKnownHost(header: string | undefined, access: HttpAccess): boolean {
  if (header === undefined || header === "") return true;
  const name = nameOf(header);
  if (isIP(name.replace(/^\[(.*)\]$/, "$1")) !== 0) return true;
  if (/^[a-z0-9_-]+$/.test(name) || name.endsWith(".localhost")) return true;
  return [access.host, ...(access.allowedHosts ?? [])].some((known) => nameOf(known) === name);
}

/** Without the port, and as names are compared. */
function nameOf(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "");
}

/**
 * @returns whether the `Authorization` of a request is right
 * @throws Error if the file of the token cannot be used; the message names it, and never the token
 */
export async function tokenCheck(
  access: HttpAccess,
): Promise<(header: string | undefined) => boolean> {
  const token = access.token ?? (await readToken(access.tokenFile));
  if (token === null) return () => true;
  const expected = digest(`Bearer ${token.trim()}`);
  // Digests have the same length, and the time of the comparison tells nothing.
  return (header = "") => timingSafeEqual(digest(header), expected);
}

async function readToken(path: string | undefined): Promise<string | null> {
  if (path === undefined) return null;
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const why = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new Error(`metrics.token_file is ${path}, which cannot be read (${why})`, {
      cause: error,
    });
  }
  if (text.trim() === "") throw new Error(`metrics.token_file is ${path}, which is empty`);
  return text;
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
