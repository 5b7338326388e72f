/** Configurations of the NATS server that let clients do more than `auth.mode` promises. */
import { AGENT_ROOT, agentUpdates, OPERATOR_ROOT, TASK_UPDATES } from "../protocol/subjects.ts";
import type { AccountImport } from "./account-imports.ts";
import type { LoginOptions } from "./login.ts";
import { isLoopback } from "./loopback.ts";

/** What a worker warns of if its own connection needs no login; `null`: nothing. */
export function openServerWarning(login: LoginOptions, listensOn: string): string | null {
  const { username, token, credsFile, nkeyFile, certFile } = login;
  const isAsked = [username, token, credsFile, nkeyFile, certFile].some((one) => one !== undefined);
  if (isAsked || isLoopback(listensOn)) return null;
  return (
    `the NATS server listens on ${listensOn} and asks for no credentials: everyone who can reach it can do ` +
    'everything. Make accounts with "if-coordinator auth init" (docs/security.md), or let it listen on 127.0.0.1'
  );
}

/** Why an import lets an account act as others; `null`: it does not. */
export function importProblem({ account, type, subject }: AccountImport): string | null {
  if (type !== "service" || isOfOnePrincipal(subject)) return null;
  return (
    `the account ${account} imports "${subject}" from the account of the workers, so its users can act as ` +
    "others: let it import only agent.<name>.tasks.> and agent.<name>.sessions.>, or those of operator.<name>"
  );
}

/** The accounts of agents that receive the records of all tasks. With `auth.visibility: all` they may. */
export function updatesProblem(imports: readonly AccountImport[]): string | null {
  const agents = new Map(
    imports
      .filter(({ type, subject }) => type === "service" && subject.startsWith(`${AGENT_ROOT}.`))
      .map(({ account, subject }) => [account, subject.split(".")[1] ?? ""]),
  );
  const bad = imports.find(({ account, type, subject }) => {
    const agent = agents.get(account);
    return type === "stream" && agent !== undefined && reachesUpdates(subject, agent);
  });
  if (bad === undefined) return null;
  return (
    `the account ${bad.account} of an agent imports "${bad.subject}", so it receives the records of tasks that ` +
    `are not its own although auth.visibility is not all: let it import ${agentUpdates("<name>", ">")} as ` +
    `${TASK_UPDATES}.>, or set auth.visibility to all`
  );
}

/** Whether updates that are not for this agent come with the import. */
function reachesUpdates(subject: string, agent: string): boolean {
  const [root = "", name] = subject.split(".");
  return root === AGENT_ROOT ? name !== agent : [TASK_UPDATES, "*", ">"].includes(root);
}

function isOfOnePrincipal(subject: string): boolean {
  const [role, name = "*"] = subject.split(".");
  return (role === AGENT_ROOT || role === OPERATOR_ROOT) && name !== "*" && name !== ">";
}
