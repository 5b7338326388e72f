/**
 * Follows every update of every task at least once, with a plain NATS client, to be translated into other
 * languages. The rules are those of docs/protocol.md, "Watching changes". Prints one line for each revision;
 * after a failure, a line can come twice.
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
// Reconnects for ever: by default, the client gives up after ten attempts.
const nats = await connect({ servers, maxReconnectAttempts: -1 });

/** The last revision that was delivered, and its bucket. A program that stores both can go on after a restart. */
let last = 0;
let bucket = "";
/** What came live, in order. Null says that only `tasks.changes` can tell what happened. */
let inbox: (Change | null)[] = [null];
let wake = (): void => undefined;

function put(next: Change | null): void {
  inbox.push(next);
  wake();
}

/** First does the work, then counts it: after a crash in between, the revision is delivered again. */
function deliver({ task_id, revision, task }: Change): void {
  const event = task?.last_event?.type ?? null;
  console.log(JSON.stringify({ revision, task_id, status: task?.status ?? null, event }));
  last = revision;
}

/** A record of a worker is complete. For removals, values written by hand and all else: ask. */
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

/** Asks until it is answered: reading twice does no harm, and to give up would end the updates. */
async function changesSince(since: number): Promise<Reply> {
  for (let pauseMs = 50; ; pauseMs = Math.min(2 * pauseMs, 5_000)) {
    try {
      // Less than the 15 s of other requests: the answer may have been lost with the connection.
      const options = { timeout: 5_000 };
      const answer = await nats.request("tasks.changes", JSON.stringify({ since }), options);
      const reply = answer.json<Reply>();
      if (reply.ok || reply.error.code === "too_large") return reply;
      throw new Error(reply.error.message);
    } catch (error) {
      console.error(`asking again: ${String(error)}`);
    }
    await sleep(pauseMs);
  }
}

async function catchUp(): Promise<void> {
  for (let hasMore = true; hasMore;) {
    const { ok, error, ...page } = await changesSince(last);
    if (!ok) {
      // One record that no reply can hold. Its content is in the bucket; the others come after it.
      deliver({ task_id: error.task_id, revision: error.since, task: null });
    } else if (page.bucket_id !== bucket || page.last_revision < last) {
      // Another bucket, whose revisions count from 1, or an earlier state of this one: begin again.
      bucket = page.bucket_id;
      last = 0;
    } else {
      for (const change of page.changes) deliver(change);
      hasMore = page.has_more;
      // What is missing at the end was the markers of removed tasks, which remove themselves.
      if (!hasMore) last = page.last_revision;
    }
  }
  // Drops what came meanwhile and was in a page too: each one would look like a new bucket.
  inbox = inbox.filter((next) => next === null || next.revision > last);
}

// Subscribed before the first question, so that nothing falls in between. An error ends the subscription:
// updates then come with the checks.
nats.subscribe("task-updates.>", {
  callback: (error, message) => {
    put(error ? null : read(message));
  },
});
// No message shows that the last ones before a silence were lost, so this asks now and then.
setInterval(put, checkSeconds * 1000, null);
void (async () => {
  for await (const { type } of nats.status()) if (type === "reconnect") put(null);
})();

for (;;) {
  const next = inbox.shift();
  if (next === undefined) await new Promise<void>((resolve) => (wake = resolve));
  else if (next?.revision === last + 1) deliver(next);
  // A higher revision: some were missed. A lower one: a repetition, or the first of a new bucket.
  else await catchUp();
}
