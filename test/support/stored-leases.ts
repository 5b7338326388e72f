/** The last entry of a task in the bucket of leases, of whichever claim. */
import { jetstreamManager, type StoredMsg } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";

export async function lastLease(
  connection: NatsConnection,
  taskId: string,
): Promise<StoredMsg | null> {
  const jsm = await jetstreamManager(connection);
  return jsm.streams.getMessage("KV_leases", { last_by_subj: `$KV.leases.*.${taskId}` });
}

/** Resolves when the server has removed the lease and written its marker. */
export async function leaseMarker(connection: NatsConnection, taskId: string): Promise<void> {
  for (;;) {
    const last = await lastLease(connection, taskId);
    if (last?.header.get("Nats-Marker-Reason") === "MaxAge") return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
