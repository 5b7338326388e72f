/** An agent: claims one task after the other, works, and says what came of it. The README shows it. */
import { connectNats, createRequester, TaskClient, TaskError } from "if-coordinator";

const connection = await connectNats({ servers: [process.env.NATS_URL ?? "localhost:4222"] });
const client = new TaskClient(createRequester(connection));
const session_id = `agent-${process.pid}`;

for (;;) {
  // Whoever asks again after a lost answer, with the same request_id, gets the same task.
  const request_id = crypto.randomUUID();
  const { claims } = await client.next({
    session_id,
    request_id,
    wait_seconds: 1,
    ttl_seconds: 30,
  });
  const [claim] = claims;
  if (claim === undefined) break;
  const { task, attempt } = claim;

  const renewals = setInterval(() => {
    client.renew(task.task_id, { session_id, attempt }).catch((error: unknown) => {
      if (error instanceof TaskError && error.code === "lease_lost") clearInterval(renewals);
    });
  }, 10_000);
  try {
    const outcome = await work(task.title);
    await client.release(task.task_id, { session_id, attempt, ...outcome });
    console.log(`${task.task_id}: ${outcome.status}`);
  } catch (error) {
    // Somebody else has the task by now: what was done for it must not be used.
    if (!(error instanceof TaskError) || error.code !== "lease_lost") throw error;
  } finally {
    clearInterval(renewals);
  }
}
await connection.close();

async function work(title: string) {
  try {
    return { status: "complete" as const, result: await Promise.resolve(`did "${title}"`) };
  } catch (error) {
    return { status: "failed" as const, error: String(error) };
  }
}
