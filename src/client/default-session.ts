/** The id of a session that was given none: another one for each. */
import { hostname } from "node:os";

/** Host names can have 253 characters, an id with what follows 256. */
const MAX_HOST_LENGTH = 64;
const RANDOM_LENGTH = 8;

/** `<host>-<pid>-<random>`: it tells people where it runs, and no other process has it. */
export function defaultSession(): string {
  const host = hostname()
    .replace(/[^A-Za-z0-9]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, MAX_HOST_LENGTH);
  const random = crypto.randomUUID().slice(0, RANDOM_LENGTH);
  return [host, process.pid, random].filter((part) => part !== "").join("-");
}
