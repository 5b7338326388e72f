/**
 * Keys that nobody can guess, not even from earlier keys. They end the reply subjects on which a worker learns
 * what has become of its messages. Anyone who knew such a subject could answer in place of the server.
 */
/** 96 bits. */
const KEY_LENGTH = 16;
/** One call for many keys: a call takes microseconds, and every claim needs keys. */
const POOL_BYTES = 6_144;

let pool = "";
let used = 0;

/** One token of a subject. */
export function randomKey(): string {
  if (used === pool.length) {
    pool = Buffer.from(crypto.getRandomValues(new Uint8Array(POOL_BYTES))).toString("base64url");
    used = 0;
  }
  return pool.slice(used, (used += KEY_LENGTH));
}
