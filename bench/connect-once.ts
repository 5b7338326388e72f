/** Connects to NATS and closes the connection: the least that a command of any client costs. */
import { connect } from "@nats-io/transport-node";

const [servers = ""] = process.argv.slice(2);
const connection = await connect({ servers });
await connection.close();
