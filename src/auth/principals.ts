/**
 * Adds, lists, changes and revokes the principals of a secured set-up. Each change returns the account that the
 * server must learn.
 *
 * A change is kept in `accounts/` first, so that a command that was interrupted can be repeated: it signs the
 * account again, with all earlier revocations.
 */
import { setTimeout as delay } from "node:timers/promises";
import { createAccount, createUser, type KeyPair } from "@nats-io/nkeys";
import type { StoredRules } from "../protocol/principal-rules.ts";
import { formatPrincipal } from "../protocol/subjects.ts";
import { AuthError } from "./auth-error.ts";
import type { AuthFolder } from "./auth-folder.ts";
import {
  credentialsOf,
  type PrincipalAccount,
  principalAccountJwt,
  readAccount,
  readCredentials,
  readPrincipal,
  type Revocations,
} from "./claims.ts";
import type { AccountLimits } from "./limits.ts";
import { nameProblem, type Role } from "./names.ts";
import { FOUNDATION_JWT, isServiceUser, SERVICE_USERS, type ServiceUser } from "./service-users.ts";

/** A signed account that the server must learn. */
export interface SignedAccount {
  readonly name: string;
  /** Its public key. */
  readonly account: string;
  readonly jwt: string;
}

/** All accounts, for a server that may have missed some. */
export async function allAccounts(folder: AuthFolder): Promise<SignedAccount[]> {
  const issuer = folder.issuer.getPublicKey();
  return [...(await folder.accounts())].map(([name, jwt]) => ({
    name,
    account: readAccount(jwt, issuer).sub,
    jwt,
  }));
}

export async function listPrincipals(folder: AuthFolder): Promise<PrincipalAccount[]> {
  const issuer = folder.issuer.getPublicKey();
  return [...(await folder.accounts()).values()].flatMap((jwt) => readPrincipal(jwt, issuer) ?? []);
}

/**
 * Adds a principal, with an account of its own. A name whose principal was revoked gets another account, so
 * the old credentials stay refused.
 *
 * @throws AuthError if the name is taken or cannot be used
 */
export async function addPrincipal(
  folder: AuthFolder,
  {
    name,
    role,
    limits,
    rules,
  }: {
    readonly name: string;
    readonly role: Role;
    readonly limits: AccountLimits;
    /** Default: none. A name that was revoked has those of before. */
    readonly rules?: StoredRules | undefined;
  },
): Promise<{ readonly signed: SignedAccount; readonly credentials: string }> {
  const problem = nameProblem(name);
  if (problem !== null) throw new AuthError(problem);
  const taken = new AuthError(
    `there is a principal ${name} already: "auth rotate ${name}" gives it new credentials`,
  );
  const before = await principalOf(folder, name);
  // An account without its key is left of a command that was interrupted here.
  if (before?.isRevoked === false && (await folder.key(name)) !== null) throw taken;
  const key = createAccount();
  const account = key.getPublicKey();
  const given = { name, role, account, limits, rules: rules ?? before?.rules ?? NO_RULES };
  const principal = { ...given, isRevoked: false, revocations: {} };
  const jwt = await signPrincipal(folder, principal);
  if (before !== null) await folder.replaceAccount(name, jwt);
  else if (!(await folder.addAccount(name, jwt))) throw taken;
  await folder.keepKey(name, key);
  const credentials = await credentialsOf(name, createUser(), key);
  return { signed: { name, account, jwt }, credentials };
}

const NO_RULES: StoredRules = { prefixes: [], limits: {} };

/** The entries of the bucket `principals` that belong to these accounts: the prefixes and limits of principals. */
export function rulesOf(folder: AuthFolder, accounts: readonly SignedAccount[]): RulesEntry[] {
  const issuer = folder.issuer.getPublicKey();
  return accounts.flatMap(({ jwt }) => {
    const principal = readPrincipal(jwt, issuer);
    if (principal === null) return [];
    const { prefixes, limits } = principal.rules;
    const isEmpty = prefixes.length === 0 && Object.keys(limits).length === 0;
    return isEmpty ? [] : [{ principal: formatPrincipal(principal), rules: principal.rules }];
  });
}

export interface RulesEntry {
  /** Such as `agent.s1`. */
  readonly principal: string;
  readonly rules: StoredRules;
}

/**
 * Refuses all credentials of the principal from now on.
 *
 * @throws AuthError if there is no such principal
 */
export async function revokePrincipal(
  folder: AuthFolder,
  name: string,
  nowSeconds: number,
): Promise<SignedAccount> {
  if (isServiceUser(name)) {
    throw new AuthError(
      `${name} is part of the set-up: "auth rotate ${name}" refuses its credentials`,
    );
  }
  const principal = await requirePrincipal(folder, name);
  await laterThan(principal.issuedAt);
  const revocations = { ...principal.revocations, "*": nowSeconds };
  const jwt = await signPrincipal(folder, { ...principal, isRevoked: true, revocations });
  await folder.replaceAccount(name, jwt);
  await folder.removeCredentials(name);
  return { name, account: principal.account, jwt };
}

/**
 * Makes new credentials, and refuses the old ones from now on.
 *
 * @param name of a principal that is not revoked, or of a user of the set-up
 * @throws AuthError if there is none
 */
export async function rotateCredentials(
  folder: AuthFolder,
  name: string,
  nowSeconds: number,
): Promise<{ readonly signed: SignedAccount; readonly credentials: string }> {
  if (isServiceUser(name)) return rotateServiceUser(folder, name, nowSeconds);
  const principal = await requirePrincipal(folder, name);
  if (principal.isRevoked) {
    throw new AuthError(
      `${name} was revoked: add it again with "auth add-${principal.role} ${name}"`,
    );
  }
  await laterThan(principal.issuedAt);
  const revocations = await withoutOld(folder, name, principal.revocations, nowSeconds);
  const jwt = await signPrincipal(folder, { ...principal, revocations });
  await folder.replaceAccount(name, jwt);
  const key = await requireKey(folder, name, principal.account);
  const credentials = await credentialsOf(name, createUser(), key);
  return { signed: { name, account: principal.account, jwt }, credentials };
}

async function rotateServiceUser(
  folder: AuthFolder,
  user: ServiceUser,
  nowSeconds: number,
): ReturnType<typeof rotateCredentials> {
  const { account: name, permissions } = SERVICE_USERS[user];
  const before = await folder.account(name);
  if (before === null) throw new AuthError(`${folder.path} has no account "${name}"`);
  const { sub: account, nats, iat } = readAccount(before, folder.issuer.getPublicKey());
  await laterThan(iat);
  const { revocations = {} } = nats;
  const key = await requireKey(folder, name, account);
  const all = await withoutOld(folder, user, revocations, nowSeconds);
  const jwt = await FOUNDATION_JWT[name](account, folder.issuer, all);
  await folder.replaceAccount(name, jwt);
  const credentials = await credentialsOf(user, createUser(), key, permissions);
  return { signed: { name, account, jwt }, credentials };
}

/** Of two versions of an account, the servers of a cluster agree on the later one. They compare seconds. */
async function laterThan(issuedAt: number): Promise<void> {
  const ms = (issuedAt + 1) * 1000 - Date.now();
  // A clock that was wrong must not stop the command for long.
  if (ms > 0) await delay(Math.min(ms, 1_000));
}

/** The revocations, with one of the present credentials of this name. */
async function withoutOld(
  folder: AuthFolder,
  name: string,
  before: Revocations,
  nowSeconds: number,
): Promise<Revocations> {
  const old = await folder.credentials(name);
  return old === null ? before : { ...before, [readCredentials(old).user]: nowSeconds };
}

async function signPrincipal(
  folder: AuthFolder,
  principal: Omit<PrincipalAccount, "issuedAt">,
): Promise<string> {
  const key = await folder.key("coordinator");
  if (key === null) throw new AuthError(`${folder.path} has no key of the coordinator's account`);
  const { visibility = "all" } = folder.place;
  const coordinator = { account: key.getPublicKey(), visibility };
  return principalAccountJwt(principal, coordinator, folder.issuer);
}

/** @throws AuthError if the key of this name is missing, or does not belong to the account */
async function requireKey(folder: AuthFolder, name: string, account: string): Promise<KeyPair> {
  const key = await folder.key(name);
  if (key?.getPublicKey() === account) return key;
  throw new AuthError(`the key of ${name} is missing: "auth revoke ${name}", then add it again`);
}

async function principalOf(folder: AuthFolder, name: string): Promise<PrincipalAccount | null> {
  const jwt = await folder.account(name);
  return jwt === null ? null : readPrincipal(jwt, folder.issuer.getPublicKey());
}

async function requirePrincipal(folder: AuthFolder, name: string): Promise<PrincipalAccount> {
  // The name becomes part of a path.
  const principal = nameProblem(name) === null ? await principalOf(folder, name) : null;
  if (principal !== null) return principal;
  throw new AuthError(`there is no principal ${name}: "auth list" shows all`);
}
