/**
 * The coordinator as a contender: plain requests on one connection, as a client in any language sends
 * them. Started with the URLs of the NATS nodes.
 */
import { MAX_TTL_SECONDS } from "../src/protocol/fields.ts";
import { type Prepare, serveContender } from "./contender.ts";
import { definition } from "./definition.ts";
import { type Operate, runLoad } from "./load.ts";
import { TaskMaker } from "./task-maker.ts";

const TIMEOUT_MS = 60_000;
/** No lease is to run out in a later round. */
const ttl_seconds = MAX_TTL_SECONDS;
const DEPENDANTS = 10;
/** Of what is claimed before a round: a worker refuses what goes beyond its `limits.in_flight`. */
const CLAIMS_IN_FLIGHT = 64;

const maker = await TaskMaker.connect(process.argv.slice(2));
const { connection } = maker;

type Reply = Readonly<Record<string, unknown>>;

/** The reply, an error as well. */
async function ask(subject: string, body: object): Promise<Reply> {
  const reply = await connection.request(subject, JSON.stringify(body), { timeout: TIMEOUT_MS });
  return reply.json();
}

async function askSuccessfully(subject: string, body: object): Promise<Reply> {
  const reply = await ask(subject, body);
  if (reply.ok !== true) throw new Error(`${subject}: ${JSON.stringify(reply)}`);
  return reply;
}

let rounds = 0;

function claimOf(id: string, session: number): Promise<Reply> {
  return askSuccessfully(`tasks.claim.${id}`, { session_id: `session-${session}`, ttl_seconds });
}

/** All for one session, and not measured. */
async function claimAll(ids: readonly string[]): Promise<void> {
  const claimOne: Operate = (i) => claimOf(ids[i] ?? "", 0);
  await runLoad(claimOne, { inFlight: CLAIMS_IN_FLIGHT, count: ids.length });
}

const claim: Prepare = async ({ count, inFlight }) => {
  const ids = await maker.make(count);
  return async (i) => {
    const reply = await claimOf(ids[i] ?? "", i % inFlight);
    if (reply.already_held !== false) throw new Error("claimed twice");
  };
};

/** Everybody asks for the same task, which is another one each time. */
const contended: Prepare = async ({ count, inFlight }) => {
  const ids = await maker.make(Math.ceil(count / inFlight));
  const won = new Set<number>();
  return async (i) => {
    const [task, session] = [Math.floor(i / inFlight), i % inFlight];
    const body = { session_id: `session-${session}`, ttl_seconds };
    const reply = await ask(`tasks.claim.${ids[task] ?? ""}`, body);
    const { code } = (reply.error ?? {}) as { code?: string };
    if (reply.ok !== true && code !== "already_claimed") throw new Error(JSON.stringify(reply));
    if (reply.ok !== true) return;
    if (won.has(task)) throw new Error("two winners");
    won.add(task);
  };
};

interface Claims {
  readonly claims: readonly {
    readonly task: { readonly task_id: string };
    readonly attempt: number;
  }[];
}

async function takeNext(session_id: string, max: number): Promise<Claims["claims"]> {
  const { claims } = (await askSuccessfully("tasks.next", {
    session_id,
    max,
    ttl_seconds,
  })) as Reply & Claims;
  if (claims.length !== max) throw new Error(`${claims.length} claims instead of ${max}`);
  return claims;
}

const next: Prepare = async ({ count, inFlight, batch = 1 }) => {
  await maker.make(count * batch);
  return async (i) => (await takeNext(`session-${i % inFlight}`, batch)).length;
};

const complete: Prepare = async ({ count, inFlight, batch = 1 }) => {
  await maker.make(count * batch);
  return async (i) => {
    const session_id = `session-${i % inFlight}`;
    const claims = await takeNext(session_id, batch);
    await Promise.all(
      claims.map(({ task, attempt }) =>
        askSuccessfully(`tasks.release.${task.task_id}`, {
          session_id,
          attempt,
          status: "complete",
        }),
      ),
    );
    return claims.length;
  };
};

const create: Prepare = () => {
  const prefix = `c${++rounds}`;
  const operate: Operate = async (i) => {
    await askSuccessfully(`tasks.create.${prefix}-${i}`, definition(i));
  };
  return Promise.resolve(operate);
};

const importBatch: Prepare = ({ batch = 1 }) => {
  const prefix = `i${++rounds}`;
  const operate: Operate = async (i) => {
    const some = Array.from({ length: batch }, (_, k) => ({
      task_id: `${prefix}-${i}-${k}`,
      ...definition(k),
    }));
    await askSuccessfully("tasks.import", { tasks: some });
    return batch;
  };
  return Promise.resolve(operate);
};

const RENEWED = 1_000;

const renew: Prepare = async ({ count }) => {
  const ids = await maker.make(Math.min(count, RENEWED));
  await claimAll(ids);
  const body = { session_id: "session-0", attempt: 1, ttl_seconds };
  return async (i) => {
    await askSuccessfully(`tasks.renew.${ids[i % ids.length] ?? ""}`, body);
  };
};

/** Each of them lets others begin. */
const release: Prepare = async ({ count }) => {
  const ids = await maker.make(count);
  await maker.make(count * DEPENDANTS, (i) => ({ depends_on: [ids[i % count]] }));
  await claimAll(ids);
  const body = { session_id: "session-0", attempt: 1, status: "complete" };
  return async (i) => {
    await askSuccessfully(`tasks.release.${ids[i] ?? ""}`, body);
  };
};

const scenarios = { claim, contended, next, complete, create, import: importBatch, renew, release };
serveContender({ scenarios, close: () => connection.close() });
