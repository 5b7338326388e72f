/**
 * The settings: their names, limits, meanings and defaults. The names are those of the YAML file.
 * `sources.ts` says where settings are read.
 */
import { z } from "zod";
import {
  checkDomain,
  checkInboxPrefix,
  ConnectionValueError,
  parseServers,
} from "../nats/connection-values.ts";
import { MAX_TTL_SECONDS, MIN_TTL_SECONDS } from "../protocol/fields.ts";
import { VISIBILITIES } from "../protocol/visibility.ts";
import { limits } from "./limits.ts";
import { flag, MAX_INT, oneOf, port, text, wholeNumber } from "./value-kinds.ts";

/** A setting that `src/nats` checks in the same way as the options of a program. */
function checkedBy<S extends z.ZodType>(schema: S, check: (value: z.output<S>) => void): S {
  return schema.superRefine((value, context) => {
    try {
      check(value);
    } catch (error) {
      if (!(error instanceof ConnectionValueError)) throw error;
      context.addIssue({ code: "custom", message: error.message });
    }
  });
}

const nats = z.strictObject({
  servers: checkedBy(
    z.array(z.string({ error: "must be a list of URLs" }), { error: "must be a list of URLs" }),
    parseServers,
  )
    .default(["nats://localhost:4222"])
    .meta({ description: "NATS servers to connect to, tried in turn", flag: "nats" }),
  connect_timeout_seconds: wholeNumber(0, 86_400).default(60).meta({
    description: "Seconds that `serve` waits for NATS at start before it gives up; 0: try once",
  }),
  max_reconnect_attempts: wholeNumber(-1, MAX_INT)
    .default(-1)
    .meta({ description: "Attempts to reconnect before it gives up; -1: it never gives up" }),
  reconnect_time_wait: wholeNumber(0, 3600)
    .default(2)
    .meta({ description: "Seconds between two attempts to reconnect" }),
  username: text.optional().meta({ description: "User name for the NATS server" }),
  password: text.optional().meta({ description: "Password of that user", secret: true }),
  token: text
    .optional()
    .meta({ description: "Token, in place of user name and password", secret: true }),
  creds_file: text.optional().meta({ description: "Path of a NATS credentials file" }),
  nkey_file: text.optional().meta({ description: "Path of a file with an NKey seed" }),
  system_username: text.optional().meta({
    description:
      "User of the system account, who receives reports of lost connections; unset: leases end only when they expire",
  }),
  system_password: text.optional().meta({ description: "Password of that user", secret: true }),
  system_creds_file: text.optional().meta({
    description: "Path of a NATS credentials file of such a user, instead of user and password",
  }),
  ca_cert: text
    .optional()
    .meta({ description: "Path of the CA certificate (PEM); like tls://, it requires TLS" }),
  cert_file: text.optional().meta({ description: "Path of the client certificate (PEM) for TLS" }),
  key_file: text.optional().meta({ description: "Path of the key of that certificate (PEM)" }),
  inbox_prefix: checkedBy(text, checkInboxPrefix).optional().meta({
    description: "Prefix of the subjects on which replies are received; unset: _INBOX",
  }),
  js_domain: checkedBy(text, checkDomain).optional().meta({
    description: "JetStream domain of the buckets, for leaf nodes; unset: the domain of the server",
  }),
});

const auth = z.strictObject({
  mode: oneOf(["open", "accounts"]).default("open").meta({
    description:
      "Who is served: everyone who can reach the plain subjects (open), or only agents and operators with an account of their own (accounts)",
  }),
  visibility: oneOf(VISIBILITIES).default("all").meta({
    description:
      "What agents see of the tasks and sessions of others: everything (all), all but their contents (definitions), or only tasks that they could claim (own)",
  }),
});

const metrics = z.strictObject({
  enabled: flag
    .default(true)
    .meta({ description: "Whether there is an HTTP endpoint for metrics and health checks" }),
  port: port.default(9090).meta({
    description: "Port of the HTTP endpoint (metrics, health); 0: any free port",
    flag: "http-port",
  }),
  host: text.default("127.0.0.1").meta({ description: "Address on which it listens" }),
  allowed_hosts: z.array(text, { error: "must be a list of names" }).optional().meta({
    description: "Names with a dot by which HTTP clients may reach it; others are answered 403",
  }),
  token: text.optional().meta({ description: "Token that `/metrics` needs", secret: true }),
  token_file: text.optional().meta({ description: "Path of a file with that token" }),
});

const retry = z.strictObject({
  base_ms: wholeNumber(0, MAX_INT).default(1_000).meta({
    description: "Milliseconds before a task can be claimed again after its first failure",
  }),
  max_ms: wholeNumber(0, MAX_INT).default(60_000).meta({
    description: "Longest delay in milliseconds; each failure doubles the delay up to it",
  }),
});

const log = z.strictObject({
  level: oneOf(["debug", "info", "warn", "error", "silent"]).default("info").meta({
    description: "Lowest level that is logged: debug, info, warn, error or silent",
    flag: "log-level",
  }),
  format: oneOf(["pretty", "json"]).default("pretty").meta({
    description: "Format of the log: for people (pretty) or for programs (json)",
    flag: "log-format",
  }),
});

const audit = z.strictObject({
  enabled: flag.optional().meta({
    description:
      "Whether workers store who changed what; unset: only with `auth.mode: accounts`, because in open mode nobody vouches for names",
  }),
  max_age_seconds: wholeNumber(1, MAX_INT)
    .default(2_592_000)
    .meta({ description: "Seconds that the stream of the audit keeps a message" }),
  max_bytes: wholeNumber(1_048_576, Number.MAX_SAFE_INTEGER)
    .default(1_073_741_824)
    .meta({ description: "Most bytes of that stream; the oldest messages go first" }),
});

const dev = z.strictObject({
  port: port.default(4222).meta({
    description: "Port of the NATS server that `dev` starts; 0: any free port",
    flag: "port",
  }),
  store_dir: text
    .default(".if-coordinator")
    .meta({ description: "Folder in which `dev` keeps its data", flag: "store-dir" }),
  secure: flag.default(false).meta({
    description: "Whether `dev` lets only agents and operators in that `auth` has added",
    flag: "secure",
  }),
  nats_server: text
    .refine((path) => !path.includes("://"), {
      error: "must be the path of a nats-server binary; URLs go to IF_COORDINATOR_NATS_SERVERS",
    })
    .optional()
    .meta({
      description: "Path of the nats-server binary for `dev`; unset: `dev` finds or installs one",
      env: "IF_COORDINATOR_NATS_SERVER",
    }),
  cache_dir: text.optional().meta({
    description:
      "Folder for a nats-server that `dev` installs; unset: if-coordinator in the user's cache folder",
    env: "IF_COORDINATOR_CACHE_DIR",
  }),
});

export const configSchema = z
  .strictObject({
    backend: z
      .literal("nats", { error: "must be nats: it is the only backend that is supported" })
      .default("nats")
      .meta({ description: "Where tasks are kept; only nats is supported" }),
    nats,
    task_claim_ttl_seconds: wholeNumber(MIN_TTL_SECONDS, MAX_TTL_SECONDS).default(300).meta({
      description: "Seconds that the lease of a claim lasts, unless the claim names a TTL",
    }),
    session_ttl_seconds: wholeNumber(MIN_TTL_SECONDS, MAX_TTL_SECONDS)
      .default(300)
      .meta({ description: "Seconds that a session stays registered without a heartbeat" }),
    max_failures: wholeNumber(1, 1_000_000).default(3).meta({
      description: "Failed attempts after which a task fails, unless the task sets its own limit",
    }),
    max_lost_leases: wholeNumber(0, 1_000_000).default(10).meta({
      description:
        "Lost leases after which a task fails, unless the task sets its own limit; 0: no limit",
    }),
    retry,
    lease_grace_ms: wholeNumber(100, 600_000).default(3_000).meta({
      description: "Milliseconds after which any worker gives a claim without a lease one",
    }),
    // At most half of the two minutes for which the server keeps the marker of an expired lease.
    outage_grace_seconds: wholeNumber(0, 60).default(10).meta({
      description:
        "Seconds after an outage in which leases that expired during it can be renewed; 0: none",
    }),
    disconnect_grace_ms: wholeNumber(0, 60_000).default(500).meta({
      description:
        "Milliseconds in which a session that has lost its connection can reconnect and keep its claims",
    }),
    retention_seconds: wholeNumber(0, MAX_INT)
      .default(604_800)
      .meta({ description: "Seconds that finished tasks are kept; 0: forever" }),
    max_record_bytes: wholeNumber(1_024, 1_000_000)
      .default(65_536)
      .meta({ description: "Largest task record, in bytes" }),
    workers: wholeNumber(1, 64).default(1).meta({
      description: "Number of workers; if more than one, each runs in a process of its own",
      flag: "workers",
    }),
    replicas: wholeNumber(1, 5)
      .default(1)
      .meta({ description: "Copies of the data in a NATS cluster", flag: "replicas" }),
    history: wholeNumber(1, 64)
      .default(16)
      .meta({ description: "Changes that are kept of each task" }),
    auth,
    limits,
    metrics,
    log,
    audit,
    dev,
  })
  .superRefine(checkCombinations);

export type ConfigValues = z.output<typeof configSchema>;

/** Checks settings that depend on each other. */
function checkCombinations(config: ConfigValues, context: z.RefinementCtx): void {
  const complain = (path: string[], message: string): void => {
    context.addIssue({ code: "custom", path, message });
  };
  const { auth, nats, retry, metrics } = config;
  if (auth.visibility !== "all" && auth.mode === "open") {
    // It would promise what does not hold: in open mode everyone may call itself an operator.
    complain(["auth", "visibility"], "needs auth.mode accounts: in open mode, everyone sees all");
  }
  if (metrics.token !== undefined && metrics.token_file !== undefined) {
    complain(
      ["metrics", "token_file"],
      "cannot be combined with metrics.token: set one of the two",
    );
  }
  if (retry.max_ms < retry.base_ms) {
    complain(["retry", "max_ms"], `must be at least retry.base_ms (${retry.base_ms})`);
  }
  if (nats.password !== undefined && nats.username === undefined) {
    complain(["nats", "password"], "needs nats.username as well");
  }
  if (nats.username !== undefined && nats.token !== undefined) {
    complain(["nats", "token"], "cannot be combined with nats.username: set one of the two");
  }
  if (nats.system_password !== undefined && nats.system_username === undefined) {
    complain(["nats", "system_password"], "needs nats.system_username as well");
  }
  if (nats.system_username !== undefined && nats.system_creds_file !== undefined) {
    const message = "cannot be combined with nats.system_username: set one of the two";
    complain(["nats", "system_creds_file"], message);
  }
  if (nats.cert_file !== undefined && nats.key_file === undefined) {
    complain(["nats", "cert_file"], "needs nats.key_file as well");
  }
  if (nats.key_file !== undefined && nats.cert_file === undefined) {
    complain(["nats", "key_file"], "needs nats.cert_file as well");
  }
}
