/**
 * A server with accounts, for a run whose workers serve only agents and operators. A client without a login is in
 * the account of the workers and reaches them as the operator `ann`, so the run needs no credentials. The hostile
 * agent has an account of its own.
 */
import type { Authenticator } from "@nats-io/transport-node";
import { HOSTILE } from "./accounts.ts";

const PASSWORD = "of-a-run-on-this-machine";

export const hostileLogin: Authenticator = () => ({ user: HOSTILE, pass: PASSWORD });

/** For the settings of the workers. */
export const WALLED_SETTINGS = { IF_COORDINATOR_AUTH_MODE: "accounts" };

export const WALLED_CONFIG = `
no_auth_user: run
accounts {
  COORDINATOR {
    jetstream: enabled
    users: [ { user: run, password: ${JSON.stringify(PASSWORD)} } ]
    mappings: { "tasks.>": "operator.ann.tasks.>", "sessions.>": "operator.ann.sessions.>" }
    exports: [
      { service: "agent.${HOSTILE}.>", accounts: [HOSTILE] }
      { stream: "task-updates.>" }
    ]
  }
  HOSTILE {
    users: [ { user: ${HOSTILE}, password: ${JSON.stringify(PASSWORD)} } ]
    imports: [
      { service: { account: COORDINATOR, subject: "agent.${HOSTILE}.tasks.>" }, to: "tasks.>" }
      { service: { account: COORDINATOR, subject: "agent.${HOSTILE}.sessions.>" }, to: "sessions.>" }
      { stream: { account: COORDINATOR, subject: "task-updates.>" } }
    ]
  }
}
`;
