/** Whether the coordinator does its work as on any other day: one task from its creation to its end. */
import type { NatsConnection } from "@nats-io/transport-node";
import { askOver } from "./world.ts";

/** What went wrong; `null`: nothing. */
export async function everydayProblem(connection: NatsConnection): Promise<string | null> {
  const ask = askOver(connection);
  const id = `everyday-${crypto.randomUUID()}`;
  const updates = connection.subscribe(`task-updates.${id}`);
  const session_id = "everyday";
  try {
    await ask(`sessions.register.${session_id}`);
    await ask(`tasks.create.${id}`, { title: "Everyday" });
    const { claims } = await ask("tasks.next", { session_id, prefix: id });
    const [claim] = claims as { readonly attempt: number }[];
    const holder = { session_id, attempt: claim?.attempt };
    await ask(`tasks.renew.${id}`, holder);
    await ask(`tasks.release.${id}`, { ...holder, status: "complete", result: "done" });
    const { task } = await ask(`tasks.get.${id}`);
    const { status, result } = task as { readonly status: string; readonly result: string };
    if (status !== "complete" || result !== "done") return `the task is ${status}, ${result}`;
    await ask(`sessions.unregister.${session_id}`);
    await connection.flush();
    const told = updates.getReceived();
    return told === 3 ? null : `subscribers were told of ${told} transitions of 3`;
  } catch (error) {
    return `an everyday request failed: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    updates.unsubscribe();
  }
}
