/** The rules for principals in the bucket `principals`. Operators write them, with `auth` or by hand. */
import { readRules } from "../protocol/principal-rules.ts";
import type { PrincipalEntry, PrincipalStore, Stoppable, Watch } from "../service/ports.ts";
import type { KvAccess } from "./kv-access.ts";
import { KvBucket } from "./kv-bucket.ts";
import { MARKER_TTL_SECONDS, PRINCIPALS_BUCKET } from "./kv-buckets.ts";
import type { KvMessage } from "./kv-message.ts";

export class KvPrincipalStore implements PrincipalStore {
  readonly #bucket: KvBucket;

  constructor(access: KvAccess) {
    this.#bucket = new KvBucket(PRINCIPALS_BUCKET, access, MARKER_TTL_SECONDS);
  }

  watch(watch: Watch<PrincipalEntry>): Promise<Stoppable> {
    return this.#bucket.watch(toEntry, watch);
  }
}

function toEntry({ key: principal, revision, operation, text }: KvMessage): PrincipalEntry {
  return { principal, revision, rules: operation === "put" ? readRules(text) : null };
}
