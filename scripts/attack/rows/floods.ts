/** Attacks by the number of requests, or by their size. */
import type { Row } from "../row.ts";

/**
 * Hundreds of megabytes a second, or 20,000 requests in one moment, keep two cores busy with receiving, also what is
 * dropped.
 */
export const FLOODED_MS = 1_000;

export const FLOODS: readonly Row[] = [
  {
    name: "small-requests",
    does: "sends 130,000 small requests a second",
    attack: "small requests",
  },
  {
    name: "bodies-64k",
    does: "sends bodies of 64 KiB as fast as NATS takes them",
    attack: "bodies of 64 KiB",
    bounds: { p99Ms: FLOODED_MS },
  },
  {
    name: "bodies-1m",
    does: "sends bodies of 1 MiB as fast as NATS takes them",
    attack: "bodies of 1 MiB",
    notPromised: { open: "without accounts, NATS carries bodies of up to 1 MiB to the workers" },
  },
  {
    name: "no-reply",
    does: "sends 130,000 requests a second without a reply subject",
    attack: "no reply subject",
    // The level at which each dropped request has been a line.
    settings: { "log.level": "debug" },
    bounds: { logBytes: 2 * 1024 * 1024 },
  },
];
