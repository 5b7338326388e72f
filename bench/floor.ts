/**
 * What NATS itself costs here: a request and its reply, a write with an expected revision, and both, the
 * least that a claim can be. Started with the URLs of the NATS nodes.
 */
import { Kvm } from "@nats-io/kv";
import { connect } from "@nats-io/transport-node";
import { KvWriter } from "../src/nats/kv-writer.ts";
import { type Prepare, serveContender } from "./contender.ts";
import { FLOOR_BUCKET, FLOOR_RECORD } from "./floor-record.ts";

const TIMEOUT_MS = 60_000;
const servers = process.argv.slice(2);
const connection = await connect({ servers, name: "bench floor" });
const writer = new KvWriter(connection, TIMEOUT_MS);
const replicas = servers.length >= 3 ? 3 : 1;
await new Kvm(connection).create(FLOOR_BUCKET, { replicas });

let rounds = 0;

const body = JSON.stringify({ session_id: "session-1", ttl_seconds: 300 });

async function expectRecord(subject: string): Promise<void> {
  const reply = await connection.request(subject, body, { timeout: TIMEOUT_MS });
  if (reply.data.length !== FLOOR_RECORD.length) throw new Error(reply.string());
  reply.json();
}

const echo: Prepare = () => Promise.resolve(() => expectRecord("bench.echo"));

const write: Prepare = () => {
  const prefix = `$KV.${FLOOR_BUCKET}.w${++rounds}`;
  return Promise.resolve(async (i: number) => {
    const subject = `${prefix}-${i}`;
    const { kind } = await writer.write({ subject, payload: FLOOR_RECORD, expectedRevision: 0 });
    if (kind !== "written") throw new Error(kind);
  });
};

const echoAndWrite: Prepare = () => {
  const prefix = `bench.write.b${++rounds}`;
  return Promise.resolve((i: number) => expectRecord(`${prefix}-${i}`));
};

serveContender({
  scenarios: { echo, write, "echo+write": echoAndWrite },
  close: () => {
    writer.stop();
    return connection.close();
  },
});
