/** The name of the user in a credentials file, without a check of its signature. */
import { readFileSync } from "node:fs";

/** One token of a subject, so it can be the name of a principal. */
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * The name of the agent or operator for whom `auth` has written the file. An agent's sessions begin with it.
 *
 * @returns `null` if the file cannot be read, or has another kind of name: the connection reports such a file
 */
export function nameInCredentials(path: string): string | null {
  try {
    const [, claims = ""] =
      /BEGIN NATS USER JWT-+\s+[\w-]+\.([\w-]+)\./.exec(readFileSync(path, "latin1")) ?? [];
    const { name }: { name?: unknown } = JSON.parse(
      Buffer.from(claims, "base64url").toString("utf8"),
    ) as object;
    return typeof name === "string" && NAME.test(name) ? name : null;
  } catch {
    return null;
  }
}
