/** The leases in their bucket, as any program finds them there. */
import { jetstreamManager, type StoredMsg } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Json } from "./test-coordinator.ts";

/** The last entry of a task, of whichever claim. */
export async function lastLease(
  connection: NatsConnection,
  taskId: string,
): Promise<StoredMsg | null> {
  const jsm = await jetstreamManager(connection);
  return jsm.streams.getMessage("KV_leases", { last_by_subj: `$KV.leases.*.${taskId}` });
}

/** The lease with this key; `null`: there is none, or it has ended. */
export async function stored(connection: NatsConnection, key: string): Promise<Json> {
  const bucket = await new Kvm(connection).open("leases");
  const entry = await bucket.get(key);
  return entry?.operation === "PUT" ? entry.json<Json>() : null;
}

/** Resolves when the lease with this key has ended, however. */
export async function ended(connection: NatsConnection, key: string): Promise<void> {
  const bucket = await new Kvm(connection).open("leases");
  for (;;) {
    const entry = await bucket.get(key);
    if (entry !== null && entry.operation !== "PUT") return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Resolves when the server has removed the lease and written its marker. */
export async function leaseMarker(connection: NatsConnection, taskId: string): Promise<void> {
  for (;;) {
    const last = await lastLease(connection, taskId);
    if (last?.header.get("Nats-Marker-Reason") === "MaxAge") return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
