/** The coordinator as a contender. The program is started with the URLs of the NATS nodes. */
import { BenchClient, type Claimed, ttl_seconds } from "./client.ts";
import { contenderArguments, type Prepare, serveContender } from "./contender.ts";
import { definition } from "./definition.ts";
import { claimAll, scenariosOf, sessionOf, type TaskStore } from "./scenarios.ts";

const DEPENDENTS = 10;

const client = await BenchClient.connect(contenderArguments());
const complete = ({ task, attempt }: Claimed, session_id: string) =>
  client.request(`tasks.release.${task.task_id}`, { session_id, attempt, status: "complete" });

const store: TaskStore<Claimed> = {
  begin: (_round, count) => client.make(count),
  claim: async (id, session_id) => {
    const subject = `tasks.claim.${id}`;
    const reply = await client.ask(subject, { session_id, ttl_seconds });
    if (reply.error?.code === "already_claimed") return null;
    if (reply.already_held !== false) throw new Error(`${subject}: ${JSON.stringify(reply)}`);
    return reply;
  },
  next: (max, session) => client.next(max, session),
  complete,
  completeForNext: async ({ task, attempt }, session_id) => {
    const next = { ttl_seconds };
    const release = { session_id, attempt, status: "complete", next };
    const reply = await client.request(`tasks.release.${task.task_id}`, release);
    return reply.next?.claims[0] ?? null;
  },
  create: (id, index) => client.request(`tasks.create.${id}`, definition(index)),
  import: (ids) => {
    const tasks = ids.map((task_id, index) => ({ task_id, ...definition(index) }));
    return client.request("tasks.import", { tasks });
  },
  renew: (id, session_id) =>
    client.request(`tasks.renew.${id}`, { session_id, attempt: 1, ttl_seconds }),
};

/** Each completion makes the tasks available that depend on it. */
const release: Prepare = async (round) => {
  const ids = await client.make(round.count);
  await client.make(round.count * DEPENDENTS, (i) => ({ depends_on: [ids[i % round.count]] }));
  const session = sessionOf(0, round);
  await claimAll(store, ids, session);
  return (i) => complete({ task: { task_id: ids[i] ?? "" }, attempt: 1 }, session);
};

serveContender({
  scenarios: { ...scenariosOf(store), release },
  close: () => client.connection.close(),
});
