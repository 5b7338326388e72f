/** The accounts and users of a secured set-up that are no principals. */
import { coordinatorAccountJwt, systemAccountJwt, type UserPermissions } from "./claims.ts";

/** The accounts that are no principals. */
export type Foundation = "system" | "coordinator";

export const FOUNDATION_JWT = { system: systemAccountJwt, coordinator: coordinatorAccountJwt };

/** The users that are no principals. */
export const SERVICE_USERS = {
  /** Gives new accounts to the server. */
  admin: { account: "system", permissions: {} },
  /** Receives the reports of lost connections and sees what accounts import, and can do nothing else. */
  reports: {
    account: "system",
    permissions: {
      pub: { allow: ["$SYS.REQ.SERVER.PING.ACCOUNTZ"] },
      sub: { allow: ["$SYS.ACCOUNT.*.DISCONNECT", "_INBOX.>"] },
    },
  },
  worker: { account: "coordinator", permissions: {} },
} satisfies Record<string, { account: Foundation; permissions: UserPermissions }>;
export type ServiceUser = keyof typeof SERVICE_USERS;

export function isServiceUser(name: string): name is ServiceUser {
  return Object.hasOwn(SERVICE_USERS, name);
}
