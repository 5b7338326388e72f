/**
 * What the floor's requests are answered by, where the coordinator has a worker: an answer as long as
 * that to a claim, with one write before it or with none. Started with the URLs of the NATS nodes.
 */
import { connect } from "@nats-io/transport-node";
import { KvWriter } from "../src/nats/kv-writer.ts";
import { serveOrders } from "./child.ts";
import { FLOOR_BUCKET, FLOOR_RECORD } from "./floor-record.ts";

const connection = await connect({ servers: process.argv.slice(2), name: "bench floor" });
const writer = new KvWriter(connection, 60_000);

connection.subscribe("bench.echo", {
  queue: "bench",
  callback: (_error, msg) => {
    msg.respond(FLOOR_RECORD);
  },
});
connection.subscribe("bench.write.*", {
  queue: "bench",
  callback: (_error, msg) => {
    const subject = `$KV.${FLOOR_BUCKET}.${msg.subject.slice("bench.write.".length)}`;
    void writer.write({ subject, payload: FLOOR_RECORD, expectedRevision: 0 }).then(({ kind }) => {
      msg.respond(kind === "written" ? FLOOR_RECORD : kind);
    });
  },
});
await connection.flush();
serveOrders(
  () => Promise.reject(new Error("it only answers")),
  () => {
    writer.stop();
    return connection.close();
  },
);
