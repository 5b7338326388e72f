/** Attacks by the number of requests, or by their size. */
import type { Row } from "../row.ts";

export const FLOODS: readonly Row[] = [
  {
    name: "small-requests",
    does: "sends small requests as fast as NATS takes them",
    attack: "small requests",
  },
  {
    name: "bodies-64k",
    does: "sends bodies of 64 KiB as fast as NATS takes them",
    attack: "bodies of 64 KiB",
  },
  {
    name: "bodies-1m",
    does: "sends bodies of 1 MiB as fast as NATS takes them",
    attack: "bodies of 1 MiB",
    notPromised: { open: "without accounts, NATS carries bodies of up to 1 MiB to the workers" },
  },
  {
    name: "no-reply",
    does: "sends requests without a reply subject",
    attack: "no reply subject",
    // The level at which each dropped request has been a line.
    settings: { "log.level": "debug" },
    bounds: { logBytes: 2 * 1024 * 1024 },
  },
];
