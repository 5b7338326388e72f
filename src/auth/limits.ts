/** What NATS allows the account of a principal. The coordinator has limits of its own. */

export interface AccountLimits {
  /** Connections at a time. */
  readonly connections: number;
  /** Subscriptions of one connection. */
  readonly subscriptions: number;
  /** Bytes of one message that the principal sends. */
  readonly payload: number;
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
const UNITS: Readonly<Record<string, number>> = { KiB: 1024, MiB: 1024 * 1024 };

/**
 * Reads `connections=100,payload=128KiB`. Limits that are not named have their defaults.
 *
 * @returns what is wrong with the text, as a string
 */
export function parseLimits(text: string): AccountLimits | string {
  const limits = { ...DEFAULT_LIMITS };
  for (const part of text.split(",")) {
    const [, name = "", digits = "", unit] = /^\s*(\w+)=(\d{1,10})(KiB|MiB)?\s*$/.exec(part) ?? [];
    const known = NAMES.find((candidate) => candidate === name);
    if (known === undefined || (unit !== undefined && known !== "payload")) {
      return `"${part.trim()}" is no limit: write ${formatLimits(DEFAULT_LIMITS)}, or some of these`;
    }
    const value = Number(digits) * (unit === undefined ? 1 : (UNITS[unit] ?? 1));
    if (value < 1 || value > 2_147_483_647) return `${known} must be from 1 to 2147483647`;
    limits[known] = value;
  }
  return limits;
}

/** As `parseLimits` reads them. */
export function formatLimits(limits: AccountLimits): string {
  return NAMES.map((name) => {
    const value = limits[name];
    return name === "payload" && value % 1024 === 0
      ? `${name}=${value / 1024}KiB`
      : `${name}=${value}`;
  }).join(",");
}
