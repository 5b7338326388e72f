/**
 * The floor: what NATS itself costs. A request and its reply, a write with an expected revision, and both,
 * the least that a claim can be. The program is started with the URLs of the NATS nodes.
 *
 * With `responder` before the URLs, it is what answers the requests, in place of a worker of the
 * coordinator: with a reply as long as that to a claim, after one write or none.
 */
import { Kvm } from "@nats-io/kv";
import { connect } from "@nats-io/transport-node";
import { KvWriter } from "../src/nats/kv-writer.ts";
import { contenderArguments, type Prepare, serveContender } from "./contender.ts";
import { PLAIN_RECORD } from "./definition.ts";

const TIMEOUT_MS = 60_000;
const BUCKET = "floor";
const BODY = JSON.stringify({ session_id: "session-1", ttl_seconds: 300 });

const [role, ...urls] = contenderArguments();
const isResponder = role === "responder";
const servers = isResponder || role === undefined ? urls : [role, ...urls];
const connection = await connect({ servers, name: "bench floor" });
const writer = new KvWriter(connection, TIMEOUT_MS);

async function write(key: string): Promise<string> {
  const subject = `$KV.${BUCKET}.${key}`;
  return (await writer.write({ subject, payload: PLAIN_RECORD, expectedRevision: 0 })).kind;
}

async function answerRequests(): Promise<void> {
  connection.subscribe("bench.echo", {
    queue: "bench",
    callback: (_error, message) => {
      message.respond(PLAIN_RECORD);
    },
  });
  connection.subscribe("bench.write.*", {
    queue: "bench",
    callback: (_error, message) => {
      void write(message.subject.slice("bench.write.".length)).then((kind) => {
        message.respond(kind === "written" ? PLAIN_RECORD : kind);
      });
    },
  });
  await connection.flush();
}

async function request(subject: string): Promise<void> {
  const reply = await connection.request(subject, BODY, { timeout: TIMEOUT_MS });
  if (reply.data.length !== PLAIN_RECORD.length) throw new Error(reply.string());
  reply.json();
}

let rounds = 0;

const writeOnly: Prepare = () => {
  const prefix = `w${++rounds}`;
  return async (i) => {
    const kind = await write(`${prefix}-${i}`);
    if (kind !== "written") throw new Error(kind);
  };
};

const requestAndWrite: Prepare = () => {
  const prefix = `bench.write.b${++rounds}`;
  return (i) => request(`${prefix}-${i}`);
};

if (isResponder) await answerRequests();
else await new Kvm(connection).create(BUCKET, { replicas: servers.length >= 3 ? 3 : 1 });
serveContender({
  scenarios: isResponder
    ? {}
    : { echo: () => () => request("bench.echo"), write: writeOnly, "echo+write": requestAndWrite },
  close: () => {
    writer.stop();
    return connection.close();
  },
});
