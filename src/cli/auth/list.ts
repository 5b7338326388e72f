/** `if-coordinator auth list`: the agents and operators of a secured set-up, in the order of their names. */
import type { Command } from "commander";
import { AuthFolder } from "../../auth/auth-folder.ts";
import type { PrincipalAccount } from "../../auth/claims.ts";
import { formatLimits } from "../../auth/limits.ts";
import { listPrincipals } from "../../auth/principals.ts";
import { addJsonOption, show } from "../shared/data.ts";
import { addExamples } from "../shared/help.ts";
import { printError } from "../shared/output.ts";
import { formatTable } from "../shared/table.ts";
import { addFolderOption, type FolderOptions } from "./folder-options.ts";

export function define(command: Command): void {
  addJsonOption(addFolderOption(command)).action(list);
  addExamples(command, ["auth list", "auth list --json | jq -r '.principals[].name'"]);
}

async function list(options: FolderOptions): Promise<void> {
  const principals = await listPrincipals(await AuthFolder.open(options.dir));
  if (principals.length === 0 && options.json !== true) {
    printError("if-coordinator: nobody yet: add one with auth add-agent or auth add-operator");
    return;
  }
  const document = { ok: true, principals: principals.map(documentOf) };
  await show(options, document, () =>
    formatTable(
      ["NAME", "ROLE", "STATE", "SINCE", "PREFIXES", "LIMITS"],
      principals.map((principal) => {
        const { name, role, state, since } = documentOf(principal);
        const { prefixes, limits: own } = principal.rules;
        const owned = prefixes.length === 0 ? "-" : prefixes.join(",");
        return [name, role, state, since, owned, formatLimits(principal.limits, own)];
      }),
    ),
  );
}

/** `since`: when the account was last changed. */
function documentOf(principal: PrincipalAccount) {
  const { name, role, account, rules, isRevoked, issuedAt } = principal;
  const { prefixes } = rules;
  const limits = { ...principal.limits, ...rules.limits };
  const since = new Date(issuedAt * 1000).toISOString().replace(".000Z", "Z");
  return { name, role, state: isRevoked ? "revoked" : "active", since, account, prefixes, limits };
}
