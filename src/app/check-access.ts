/** What a worker checks at its start: whether the NATS server lets clients do more than `auth.mode` promises. */
import type { Config } from "../config.ts";
import { readAccountImports } from "../nats/account-imports.ts";
import type { Connection } from "../nats/connection.ts";
import { importProblem, openServerWarning, updatesProblem } from "../nats/unsafe-access.ts";
import type { Observe } from "../service/ports.ts";
import { systemLogin } from "./system-login.ts";

/**
 * Warns of a server that asks nobody who they are. With `auth.mode: accounts`, it also looks at the imports, as far
 * as the user of the system account may see them.
 *
 * @throws Error if an account can act as others, or receives what it may not see
 */
export async function checkAccess(
  config: Config,
  connection: Connection,
  observe: Observe,
): Promise<void> {
  const warning = openServerWarning(config.nats, connection.info?.host ?? "localhost");
  if (warning !== null) observe({ kind: "warning", message: warning });
  const system = systemLogin(config.nats, "if-coordinator imports");
  if (config.auth.mode === "open" || system === null) return;
  const imports = (await readAccountImports(connection, system)) ?? [];
  const updates = config.auth.visibility === "all" ? null : updatesProblem(imports);
  for (const problem of [...imports.map(importProblem), updates]) {
    if (problem !== null) throw new Error(problem);
  }
}
