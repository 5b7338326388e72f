/**
 * The JetStream domain that has the buckets. It differs from the server's own domain if the server is a leaf
 * node and the buckets are in the hub. The domain is a part of the subjects of the JetStream API.
 */
import type { JetStreamManager } from "@nats-io/jetstream";

/** Options of a JetStream manager for the domain. */
export function inDomain(domain: string | undefined): { readonly domain?: string } {
  return domain === undefined ? {} : { domain };
}

/** The prefix of the subjects that the manager uses: `$JS.API` or `$JS.<domain>.API`. */
export function apiPrefixOf(jsm: JetStreamManager): string {
  return jsm.getOptions().apiPrefix ?? OWN_DOMAIN;
}

/**
 * The prefix of the subject to which an entry is written: none in the server's own domain. For another
 * domain it is the prefix of its API, because a leaf node does not forward `$KV.>`.
 */
export function writePrefixOf(jsm: JetStreamManager): string {
  return isOwnDomain(jsm) ? "" : `${apiPrefixOf(jsm)}.`;
}

export function isOwnDomain(jsm: JetStreamManager): boolean {
  return apiPrefixOf(jsm) === OWN_DOMAIN;
}

const OWN_DOMAIN = "$JS.API";
