/** The limits of a principal: those that NATS enforces for its account, and those that the coordinator enforces. */
import {
  LIMIT_NAMES,
  type LimitName,
  type OwnLimits,
  readRules,
} from "../protocol/principal-rules.ts";

export interface AccountLimits {
  /** Connections at a time. */
  readonly connections: number;
  /** Subscriptions of one connection. */
  readonly subscriptions: number;
  /** Bytes of one message that the principal sends. */
  readonly payload: number;
}

/** `own`: instead of those of the coordinator's configuration. */
export interface PrincipalLimits {
  readonly account: AccountLimits;
  readonly own: OwnLimits;
}

/**
 * The largest request of an agent is a task with a record of `max_record_bytes`, 64 KiB by default. A
 * connection of the library needs two or three subscriptions.
 */
export const DEFAULT_LIMITS: AccountLimits = {
  connections: 1_000,
  subscriptions: 1_000,
  payload: 262_144,
};

const NAMES = ["connections", "subscriptions", "payload"] as const;
const UNITS: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
const IN_BYTES: ReadonlySet<string> = new Set(["payload", "bytes"]);

/**
 * Reads `connections=100,payload=128KiB,claims=50`. Limits of the account that are not named have their defaults.
 *
 * @returns what is wrong with the text, as a string
 */
export function parseLimits(text: string): PrincipalLimits | string {
  const account = { ...DEFAULT_LIMITS };
  const own: Partial<Record<LimitName, number>> = {};
  for (const part of text.split(",")) {
    const [, name = "", digits = "", unit] =
      /^\s*(\w+)=(\d{1,15})(KiB|MiB|GiB)?\s*$/.exec(part) ?? [];
    const value = Number(digits) * (unit === undefined ? 1 : (UNITS[unit] ?? 1));
    const ofAccount = NAMES.find((candidate) => candidate === name);
    const ofCoordinator = LIMIT_NAMES.find((candidate) => candidate === name);
    if (
      (ofAccount === undefined && ofCoordinator === undefined) ||
      (unit !== undefined && !IN_BYTES.has(name))
    ) {
      return (
        `"${part.trim()}" is no limit: write ${formatLimits(DEFAULT_LIMITS)}, or some of these, or ` +
        `one of the coordinator: ${LIMIT_NAMES.join(", ")}`
      );
    }
    if (ofAccount === undefined) {
      if (ofCoordinator !== undefined) own[ofCoordinator] = value;
    } else if (value < 1 || value > 2_147_483_647) {
      return `${ofAccount} must be from 1 to 2147483647`;
    } else account[ofAccount] = value;
  }
  const read = readRules(JSON.stringify({ limits: own }));
  return typeof read === "string" ? read : { account, own };
}

/** As `parseLimits` reads them. */
export function formatLimits(account: AccountLimits, own: OwnLimits = {}): string {
  const ofAccount = NAMES.map((name) => {
    const value = account[name];
    return name === "payload" && value % 1024 === 0
      ? `${name}=${value / 1024}KiB`
      : `${name}=${value}`;
  });
  return [...ofAccount, ...ownLimitTexts(own)].join(",");
}

/** Each limit as `claims=100`. */
export function ownLimitTexts(own: OwnLimits): string[] {
  return LIMIT_NAMES.flatMap((name) => {
    const value = own[name];
    return value === undefined ? [] : [`${name}=${value}`];
  });
}
