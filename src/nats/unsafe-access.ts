/** Configurations of the NATS server that let clients do more than `auth.mode` promises. */
import { AGENT_ROOT, OPERATOR_ROOT } from "../protocol/subjects.ts";
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

function isOfOnePrincipal(subject: string): boolean {
  const [role, name = "*"] = subject.split(".");
  return (role === AGENT_ROOT || role === OPERATOR_ROOT) && name !== "*" && name !== ">";
}
