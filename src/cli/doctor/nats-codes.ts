/** What `doctor` can find about NATS: servers, connection, storage. */
import type { CodeDefinition } from "./code-definition.ts";

export const NATS_CODES = {
  host_not_found: {
    check: "servers",
    verdict: "problem",
    meaning: "The host name of a server is unknown.",
    cure: "correct the host name in --nats, or the name service of this machine",
  },
  connection_refused: {
    check: "servers",
    verdict: "problem",
    meaning: "Nothing listens on the port.",
    cure: 'start a NATS server there ("if-coordinator dev" starts one on this machine), or correct the address in --nats',
  },
  unreachable: {
    check: "servers",
    verdict: "problem",
    meaning: "The network does not lead to the server.",
    cure: "check the address in --nats, the network and the firewalls on the way",
  },
  http_port: {
    check: "servers",
    verdict: "problem",
    meaning:
      "The port speaks HTTP: it is the monitoring or the WebSocket port of NATS, or a web server.",
    cure: "use the server's port for clients, which is 4222 by default",
  },
  not_nats: {
    check: "servers",
    verdict: "problem",
    meaning: "Another program listens on the port.",
    cure: "use the port of a NATS server for clients, which is 4222 by default",
  },
  silent: {
    check: "servers",
    verdict: "problem",
    meaning:
      "The port accepts the connection and sends nothing, which a NATS server would do at once.",
    cure: "check whether the server hangs, whether a proxy on the way has lost its server, and that handshake_first is off",
  },
  server_down: {
    check: "servers",
    verdict: "warning",
    meaning: "One of several servers cannot be used.",
    cure: "start the server again, or remove it from --nats",
  },
  login_refused: {
    check: "connection",
    verdict: "problem",
    meaning: "The server does not accept the user.",
    cure: "check --user and --password, --creds, --nkey or --context, and the users in the configuration of the server",
  },
  not_connected: {
    check: "connection",
    verdict: "problem",
    meaning: "The connection cannot be made for another reason, which the text names.",
    cure: "do what the text says; the check of the servers above says more",
  },
  slow_round_trip: {
    check: "connection",
    verdict: "warning",
    meaning:
      "A round trip to the server takes more than 100 ms. A claim takes at least one, and a worker needs several for it.",
    cure: "run workers near the NATS servers; check the network if this machine should be near them",
  },
  small_messages: {
    check: "connection",
    verdict: "warning",
    meaning: "The server carries smaller messages than the largest task record of the workers.",
    cure: "raise max_payload of the server, or lower max_record_bytes of the workers",
  },
  inbox_refused: {
    check: "connection",
    verdict: "problem",
    meaning: "The user may not subscribe to the subjects on which replies arrive.",
    cure: 'permit the user to subscribe to "_INBOX.>", or name a prefix that the user may subscribe to with "--inbox-prefix"',
  },
  not_encrypted: {
    check: "TLS",
    verdict: "warning",
    meaning: "The connection to another machine is not encrypted.",
    cure: "configure TLS in the server and use tls:// in --nats",
  },
  certificate_ends: {
    check: "TLS",
    verdict: "warning",
    meaning: "The certificate of the server ends within 14 days.",
    cure: "give the server a new certificate; it reads it after nats-server --signal reload",
  },
  credentials_end: {
    check: "user",
    verdict: "warning",
    meaning: "The credentials end within 7 days.",
    cure: 'make new credentials ("nsc generate creds") and replace the file',
  },
  user_unknown: {
    check: "user",
    verdict: "unchecked",
    meaning: "The server does not say who the user is.",
    cure: "permit the user to publish to $SYS.REQ.USER.INFO, which every user may do by default",
  },
  version_refused: {
    check: "server version",
    verdict: "problem",
    meaning: "Workers refuse this version of the server.",
    cure: "upgrade nats-server to <version> or newer",
  },
  version_known_bad: {
    check: "server version",
    verdict: "warning",
    meaning: "The version has a defect that can stop the coordinator.",
    cure: "upgrade nats-server to <version> or newer",
  },
  versions_differ: {
    check: "server version",
    verdict: "warning",
    meaning: "The servers of the cluster have different versions.",
    cure: "finish the upgrade: run the same version everywhere",
  },
  no_jetstream: {
    check: "JetStream",
    verdict: "problem",
    meaning: "The account has no JetStream.",
    cure: "start nats-server with --jetstream, or enable JetStream for the account",
  },
  jetstream_elsewhere: {
    check: "JetStream",
    verdict: "unchecked",
    meaning:
      "Workers answer, but this account has no JetStream: the buckets are in another account.",
    cure: "nothing for a session; to check the buckets, run doctor as a user of the account of the workers, with worker.creds of a secured set-up",
  },
  jetstream_silent: {
    check: "JetStream",
    verdict: "problem",
    meaning: "JetStream does not answer, mostly because a cluster has no leader.",
    cure: "start the missing servers: a cluster needs more than half of them",
  },
  limit_reached: {
    check: "JetStream",
    verdict: "problem",
    meaning: "The account has used 95 % or more of a limit. Writes fail at the limit.",
    cure: "raise the limit of the account, or remove streams that nobody needs",
  },
  limit_near: {
    check: "JetStream",
    verdict: "warning",
    meaning: "The account has used 80 % or more of a limit.",
    cure: "raise the limit of the account, or remove streams that nobody needs",
  },
  audit_missing: {
    check: "audit",
    verdict: "warning",
    meaning: "The workers keep an audit, but cannot make its stream.",
    cure: "give the account room for audit.max_bytes, or lower that setting; the log of a worker says why the stream cannot be made",
  },
  bucket_missing: {
    check: "buckets",
    verdict: "problem",
    meaning: "A bucket of the coordinator does not exist.",
    cure: "start a worker, which creates it; if tasks had existed, restore the bucket from a backup first",
  },
  bucket_refused: {
    check: "buckets",
    verdict: "problem",
    meaning: "A bucket has settings with which no worker starts.",
    cure: 'change them with "nats stream edit <stream>", or remove the bucket if it is not in use and start a worker',
  },
  bucket_unsafe: {
    check: "buckets",
    verdict: "problem",
    meaning: "NATS acknowledges writes to the bucket before they are stored, or not at all.",
    cure: 'change the setting with "nats stream edit <stream>", or copy the data into a new stream without it',
  },
  bucket_differs: {
    check: "buckets",
    verdict: "warning",
    meaning:
      "History or replicas differ from the configuration of the workers, or between the buckets.",
    cure: 'change the bucket with "nats stream edit <stream>", or the setting of the workers',
  },
  bucket_nearly_full: {
    check: "buckets",
    verdict: "warning",
    meaning: "A bucket has used 80 % or more of its own limit. A full bucket refuses every write.",
    cure: 'raise the limit with "nats stream edit <stream>", or lower retention_seconds or history',
  },
  bucket_small_values: {
    check: "buckets",
    verdict: "warning",
    meaning: "A bucket refuses values that a worker may write.",
    cure: 'raise max_msg_size with "nats stream edit <stream>", or lower max_record_bytes of the workers',
  },
  no_leader: {
    check: "replicas",
    verdict: "problem",
    meaning: "A bucket has no leader, so nothing can be written.",
    cure: "start the missing servers: a bucket needs more than half of its replicas",
  },
  replica_missing: {
    check: "replicas",
    verdict: "warning",
    meaning:
      "A replica is offline or not current. The bucket survives the loss of fewer servers than planned.",
    cure: 'start the server again; if it never comes back, use "nats server cluster peer-remove"',
  },
  single_replica: {
    check: "replicas",
    verdict: "warning",
    meaning: "The cluster has several servers, but a bucket is on one of them only.",
    cure: '"nats stream edit <stream> --replicas 3", and replicas: 3 for the workers',
  },
  even_replicas: {
    check: "replicas",
    verdict: "warning",
    meaning: "An even number of replicas survives the same number of losses as one replica fewer.",
    cure: '"nats stream edit <stream> --replicas 3"',
  },
  sync_slow: {
    check: "disk",
    verdict: "warning",
    meaning:
      "NATS syncs writes to disk only after a while: a loss of power costs what was written since.",
    cure: "set sync_interval in the jetstream block of each server: always for a cluster, 1s for a single node (docs/durability.md)",
  },
  sync_unknown: {
    check: "disk",
    verdict: "unchecked",
    meaning: "Only the monitoring port of a server says its sync_interval, and none was reached.",
    cure: "name the port with --monitor http://host:8222, or look for sync_interval in the configuration of each server; without it the interval is 2 minutes (docs/durability.md)",
  },
  disk_nearly_full: {
    check: "disk",
    verdict: "warning",
    meaning: "JetStream has used 80 % or more of what the server reserves for it.",
    cure: "free space, or raise max_file_store of the server",
  },
} as const satisfies Record<string, CodeDefinition>;
