/**
 * Follows every update of every task at least once, with a plain NATS client. Translate it into other
 * languages. The rules are those of docs/protocol.md, "Watching changes". Prints one line for each revision.
 * After a failure, a line can appear twice.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type Msg } from "@nats-io/transport-node";

interface Change {
  task_id: string;
  revision: number;
  task: { status: string; last_event: { type: string } | null } | null;
}
interface Reply {
  ok: boolean;
  changes: Change[];
  last_revision: number;
  bucket_id: string;
  has_more: boolean;
  error: { code: string; message: string; task_id: string; since: number };
}

const servers = process.env.NATS_URL ?? "nats://localhost:4222";
const checkSeconds = Number(process.env.CHECK_SECONDS ?? 30);
// Reconnects forever: by default, the client gives up after ten attempts.
const nats = await connect({ servers, maxReconnectAttempts: -1 });

/** The last revision that was delivered, and its bucket. A program that stores both can continue after a restart. */
let last = 0;
let bucket = "";
/** The live messages, in order. Null: only `tasks.changes` can say what happened. */
let inbox: (Change | null)[] = [null];
let wake = (): void => undefined;

function put(next: Change | null): void {
  inbox.push(next);
  wake();
}

/** Does the work before it counts the revision: after a crash in between, the revision is delivered again. */
function deliver({ task_id, revision, task }: Change): void {
  const event = task?.last_event?.type ?? null;
  console.log(JSON.stringify({ revision, task_id, status: task?.status ?? null, event }));
  last = revision;
}

/** A record of a worker is complete. Null for removals, values written by hand and everything else. */
function read(message: Msg): Change | null {
  try {
    const task = message.json<Change["task"]>();
    const revision = Number(message.headers?.get("Nats-Sequence"));
    const task_id = message.subject.slice("task-updates.".length);
    return task?.last_event ? { task_id, revision, task } : null;
  } catch {
    return null;
  }
}

/** Retries until it is answered. Reading twice does no harm, and giving up would end the updates. */
async function changesSince(since: number): Promise<Reply> {
  for (let pauseMs = 50; ; pauseMs = Math.min(2 * pauseMs, 5_000)) {
    try {
      // Shorter than the 15 s of other requests, because the answer may be lost with the connection.
      const options = { timeout: 5_000 };
      const answer = await nats.request("tasks.changes", JSON.stringify({ since }), options);
      const reply = answer.json<Reply>();
      if (reply.ok || reply.error.code === "too_large") return reply;
      throw new Error(reply.error.message);
    } catch (error) {
      console.error(`retrying: ${String(error)}`);
    }
    await sleep(pauseMs);
  }
}

async function catchUp(): Promise<void> {
  for (let hasMore = true; hasMore;) {
    const { ok, error, ...page } = await changesSince(last);
    if (!ok) {
      // One record is too large for any reply. Its content is in the bucket. The others come after it.
      deliver({ task_id: error.task_id, revision: error.since, task: null });
    } else if (page.bucket_id !== bucket || page.last_revision < last) {
      // Another bucket, whose revisions count from 1, or an earlier state of this bucket: begin again.
      bucket = page.bucket_id;
      last = 0;
    } else {
      for (const change of page.changes) deliver(change);
      hasMore = page.has_more;
      // The last revisions were markers of removed tasks, which have expired.
      if (!hasMore) last = page.last_revision;
    }
  }
  // Drops messages that a page has delivered already: each would look like a new bucket.
  inbox = inbox.filter((next) => next === null || next.revision > last);
}

// Subscribes before the first request, so that no update is missed in between. An error ends the
// subscription: then only the checks below deliver updates.
nats.subscribe("task-updates.>", {
  callback: (error, message) => {
    put(error ? null : read(message));
  },
});
// If the last messages before a silence were lost, no message shows it. So this asks now and then.
setInterval(put, checkSeconds * 1000, null);
void (async () => {
  for await (const { type } of nats.status()) if (type === "reconnect") put(null);
})();

for (;;) {
  const next = inbox.shift();
  if (next === undefined) await new Promise<void>((resolve) => (wake = resolve));
  else if (next?.revision === last + 1) deliver(next);
  // With a higher revision, some were missed. A lower one is a repetition, or the first of a new bucket.
  else await catchUp();
}
