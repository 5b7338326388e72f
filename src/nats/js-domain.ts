/**
 * The JetStream domain whose buckets are used: another than the server's own if the server is a leaf node
 * and the buckets are in the hub. The domain is a part of the subjects on which JetStream is asked.
 */
import type { JetStreamManager } from "@nats-io/jetstream";

/** For the options of a JetStream manager. */
export function inDomain(domain: string | undefined): { readonly domain?: string } {
  return domain === undefined ? {} : { domain };
}

/** Of the subjects on which the manager asks: `$JS.API`, or `$JS.<domain>.API`. */
export function apiPrefixOf(jsm: JetStreamManager): string {
  return jsm.getOptions().apiPrefix ?? OWN_DOMAIN;
}

/**
 * Before the subject of an entry that is written: nothing in the domain of the server. Another domain
 * takes entries on a subject of its API, because a leaf node passes no `$KV.>` on.
 */
export function writePrefixOf(jsm: JetStreamManager): string {
  const prefix = apiPrefixOf(jsm);
  return prefix === OWN_DOMAIN ? "" : `${prefix}.`;
}

const OWN_DOMAIN = "$JS.API";
