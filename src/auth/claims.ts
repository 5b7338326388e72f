/**
 * The signed claims (JWTs) of a secured set-up. The issuer, which NATS calls the operator, signs the accounts,
 * and each account signs its users. There are three kinds of accounts:
 *
 * - `system` receives new accounts, and reports lost connections to workers.
 * - `coordinator` has the workers and the buckets. It exports the subjects of principals.
 * - Each principal has an account of its own. Its imports put the name of the principal into the subject of
 *   every request, so the principal cannot send a request under another name.
 */
import {
  type Account,
  type ClaimsData,
  decode,
  encodeAccount,
  encodeOperator,
  encodeUser,
  fmtCreds,
  type Permissions,
} from "@nats-io/jwt";
import type { KeyPair } from "@nats-io/nkeys";
import { readRules, type StoredRules } from "../protocol/principal-rules.ts";
import type { Visibility } from "../protocol/visibility.ts";
import { type AccountLimits, ownLimitTexts } from "./limits.ts";
import { exportedSubjects, importsOf, type Role, ROLES } from "./names.ts";

const NONE = 0;
const NO_LIMIT = -1;

/** Nobody outside the coordinator's account may use JetStream or attach a leaf node. */
const NO_JETSTREAM = {
  mem_storage: NONE,
  disk_storage: NONE,
  streams: NONE,
  consumer: NONE,
  leaf: NONE,
};

/** Who is refused from when: a user's public key, or `*` for all users, and epoch seconds. */
export type Revocations = Readonly<Record<string, number>>;

/** What the account of a principal says about it. */
export interface PrincipalAccount {
  readonly name: string;
  readonly role: Role;
  /** Public key of the account. */
  readonly account: string;
  readonly limits: AccountLimits;
  /** Its prefixes and its own limits, which the coordinator enforces. */
  readonly rules: StoredRules;
  readonly isRevoked: boolean;
  readonly revocations: Revocations;
  /** Epoch seconds. */
  readonly issuedAt: number;
}

/** What the account of a principal depends on. */
export interface Coordinator {
  /** Public key of the coordinator's account. */
  readonly account: string;
  /** What agents see of the tasks of others. */
  readonly visibility: Visibility;
}

export function issuerJwt(issuer: KeyPair, systemAccount: string): Promise<string> {
  return encodeOperator("if-coordinator", issuer, { system_account: systemAccount });
}

export function systemAccountJwt(
  account: string,
  issuer: KeyPair,
  revocations: Revocations = {},
): Promise<string> {
  const limits = { ...UNLIMITED, ...NO_JETSTREAM };
  return sign("system", account, issuer, { limits, revocations });
}

export function coordinatorAccountJwt(
  account: string,
  issuer: KeyPair,
  revocations: Revocations = {},
): Promise<string> {
  const exports = exportedSubjects().map((exported) => ({ name: exported.subject, ...exported }));
  const storage = { mem_storage: NO_LIMIT, disk_storage: NO_LIMIT };
  const limits = { ...UNLIMITED, ...storage, streams: NO_LIMIT, consumer: NO_LIMIT };
  return sign("coordinator", account, issuer, { exports, limits, revocations });
}

const UNLIMITED = {
  ...{ subs: NO_LIMIT, data: NO_LIMIT, payload: NO_LIMIT },
  ...{ imports: NO_LIMIT, exports: NO_LIMIT, wildcards: true, conn: NO_LIMIT, leaf: NO_LIMIT },
};

export function principalAccountJwt(
  principal: Omit<PrincipalAccount, "issuedAt">,
  { account: coordinatorAccount, visibility }: Coordinator,
  issuer: KeyPair,
): Promise<string> {
  const { name, role, account, limits, rules, isRevoked, revocations } = principal;
  const imports = importsOf(role, name, visibility).map(({ type, subject, localSubject }) => ({
    name: localSubject,
    type,
    subject,
    account: coordinatorAccount,
    local_subject: localSubject,
    // Requests then say on which connection they came, so that workers know when their client has left.
    ...(type === "service" && { share: true }),
  }));
  return sign(name, account, issuer, {
    imports: isRevoked ? [] : imports,
    limits: {
      subs: limits.subscriptions,
      data: NO_LIMIT,
      payload: limits.payload,
      conn: isRevoked ? NONE : limits.connections,
      imports: imports.length,
      exports: NONE,
      wildcards: false,
      ...NO_JETSTREAM,
    },
    revocations,
    tags: [
      `role:${role}`,
      `connections:${limits.connections}`,
      ...rules.prefixes.map((prefix) => `prefix:${prefix}`),
      ...ownLimitTexts(rules.limits).map((limit) => `limit:${limit}`),
    ],
  });
}

function sign(
  name: string,
  account: string,
  issuer: KeyPair,
  { revocations = {}, ...claims }: Partial<Account>,
): Promise<string> {
  const all = Object.keys(revocations).length === 0 ? claims : { ...claims, revocations };
  return encodeAccount(name, account, all, { signer: issuer });
}

/** `null`: the account is not that of a principal. @throws Error if it is not signed by the issuer */
export function readPrincipal(jwt: string, issuer: string): PrincipalAccount | null {
  const { name, sub, nats, iat } = readAccount(jwt, issuer);
  const role = ROLES.find((candidate) => nats.tags?.includes(`role:${candidate}`));
  if (role === undefined) return null;
  const { limits = {}, revocations = {} } = nats;
  const connections = Number(tagOf(nats, "connections") ?? limits.conn);
  return {
    name,
    role,
    account: sub,
    limits: { connections, subscriptions: limits.subs ?? 0, payload: limits.payload ?? 0 },
    rules: rulesIn(nats),
    isRevoked: limits.conn === NONE,
    revocations,
    issuedAt: iat,
  };
}

/** @throws Error for tags that this version cannot read */
function rulesIn(nats: Partial<Account>): StoredRules {
  const limits = tagsOf(nats, "limit").map((text): [string, number] => {
    const [name = "", value] = text.split("=");
    return [name, Number(value)];
  });
  const rules = { prefixes: tagsOf(nats, "prefix"), limits: Object.fromEntries(limits) };
  const read = readRules(JSON.stringify(rules));
  if (typeof read === "string") throw new Error(`the account has a tag that is wrong: ${read}`);
  return { prefixes: read.prefixes, limits: read.limits };
}

function tagsOf({ tags = [] }: Partial<Account>, key: string): string[] {
  return tags.flatMap((tag) => (tag.startsWith(`${key}:`) ? [tag.slice(key.length + 1)] : []));
}

function tagOf(nats: Partial<Account>, key: string): string | undefined {
  return tagsOf(nats, key)[0];
}

/** @throws Error if it is not signed by the issuer */
export function readAccount(jwt: string, issuer: string): ClaimsData<Account> {
  const claims = decode<Account>(jwt.trim());
  if (claims.iss !== issuer) throw new Error(`the account "${claims.name}" has another issuer`);
  return claims;
}

/** What a user may do in its account. Default: everything. */
export type UserPermissions = Permissions;

/** The text of a credentials file. */
export async function credentialsOf(
  name: string,
  user: KeyPair,
  account: KeyPair,
  permissions: UserPermissions = {},
): Promise<string> {
  const jwt = await encodeUser(name, user, account, permissions);
  return new TextDecoder().decode(fmtCreds(jwt, user));
}

/** Public keys of the user of a credentials file and of its account. */
export function readCredentials(text: string): { readonly name: string; readonly user: string } {
  const [, jwt = ""] = /BEGIN NATS USER JWT-+\s+(\S+)/.exec(text) ?? [];
  const { name, sub } = decode(jwt);
  return { name, user: sub };
}
