/**
 * What a principal must not be able to do, as attempts. None of them changes anything, even if it works: the
 * tasks and sessions do not exist, and what is offered to a bucket is refused by its stream.
 */
import type { Role } from "../../../auth/names.ts";
import { attemptRequest, attemptWrite } from "../../../nats/access-attempts.ts";
import type { Connection } from "../../../nats/connection.ts";
import {
  mustBeAllowed,
  mustBeForbidden,
  mustHaveNoJetStream,
  mustReachNobody,
  mustWork,
  type Row,
  type Verdict,
} from "./verdict.ts";

interface Attempt {
  readonly attempt: string;
  readonly cure: string;
  readonly run: (connection: Connection) => Promise<Verdict>;
}

const SERVED =
  "run workers, use the credentials of an agent or operator, and look at the imports of its account";
const IMPORT_OWN =
  "import only agent.<name>.tasks.> as tasks.>, and agent.<name>.sessions.> as sessions.>";
const NO_OPERATOR = `${IMPORT_OWN}, or check the credentials of an operator with --role operator`;
const OWN_ACCOUNT = "give the principal an account of its own, without JetStream";

/**
 * @param nobody an id that no task, session or principal has
 * @param role whose rights are checked
 */
export function attemptsOf(role: Role, nobody: string): Attempt[] {
  const ofOperators = role === "agent" ? mustBeForbidden : mustBeAllowed;
  const asOther = role === "agent" ? mustBeForbidden : mustBeAllowed;
  const session = { session_id: nobody };
  const ask = (
    attempt: string,
    subject: string,
    body: object,
    judge: Judge,
    cure: string,
  ): Attempt => ({
    attempt,
    cure,
    run: async (connection) => judge(await attemptRequest(connection, subject, body)),
  });
  return [
    ask("reach the coordinator", "tasks.stats", {}, mustWork, SERVED),
    ask("claim a task as another session", `tasks.claim.${nobody}`, session, asOther, IMPORT_OWN),
    ask(
      "complete a task of another session",
      `tasks.release.${nobody}`,
      { ...session, attempt: 1, status: "complete" },
      asOther,
      IMPORT_OWN,
    ),
    ask("renew another session", `sessions.heartbeat.${nobody}`, {}, asOther, IMPORT_OWN),
    ask("end another session", `sessions.unregister.${nobody}`, {}, asOther, IMPORT_OWN),
    ask("requeue a task, as an operator", `tasks.requeue.${nobody}`, {}, ofOperators, NO_OPERATOR),
    ask(
      "import tasks, as an operator",
      "tasks.import",
      // It depends on itself, so nobody can create it.
      { tasks: [{ task_id: nobody, depends_on: [nobody] }] },
      ofOperators,
      IMPORT_OWN,
    ),
    ask("send as another agent", `agent.${nobody}.tasks.stats`, {}, mustReachNobody, IMPORT_OWN),
    ask("send as an operator", `operator.${nobody}.tasks.stats`, {}, mustReachNobody, IMPORT_OWN),
    ask("see the workers", "$SRV.PING.coordinator", {}, mustReachNobody, OWN_ACCOUNT),
    ask("reach JetStream", "$JS.API.INFO", {}, mustHaveNoJetStream, OWN_ACCOUNT),
    ask(
      "read a bucket",
      "$JS.API.STREAM.MSG.GET.KV_tasks",
      { last_by_subj: `$KV.tasks.${nobody}` },
      mustHaveNoJetStream,
      OWN_ACCOUNT,
    ),
    ask(
      "read a bucket directly",
      `$JS.API.DIRECT.GET.KV_tasks.$KV.tasks.${nobody}`,
      {},
      mustHaveNoJetStream,
      OWN_ACCOUNT,
    ),
    {
      attempt: "write to a bucket",
      cure: OWN_ACCOUNT,
      run: async (connection) =>
        mustReachNobody(await attemptWrite(connection, `$KV.tasks.${nobody}`)),
    },
    ask("see the servers", "$SYS.REQ.SERVER.PING", {}, mustReachNobody, OWN_ACCOUNT),
    ask("list the signed accounts", "$SYS.REQ.CLAIMS.LIST", {}, mustReachNobody, OWN_ACCOUNT),
    ask("see the accounts", "$SYS.REQ.SERVER.PING.ACCOUNTZ", {}, mustReachNobody, OWN_ACCOUNT),
  ];
}

type Judge = (outcome: Awaited<ReturnType<typeof attemptRequest>>) => Verdict;

export async function tryAll(attempts: readonly Attempt[], connection: Connection): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { attempt, cure, run } of attempts) {
    const verdict = await run(connection);
    rows.push({ attempt, ...verdict, ...(!verdict.isGood && { cure }) });
  }
  return rows;
}
