/** What the bucket `principals` says about a principal: the ids that belong to it, and its own limits. */
import { z } from "zod";
import { MAX_TTL_SECONDS, MIN_TTL_SECONDS } from "./fields.ts";
import { ID_TOKENS } from "./subjects.ts";

/** Longer ones would leave no room for the rest of an id that a worker makes. */
const MAX_PREFIX_LENGTH = 200;
const MAX_PREFIXES = 100;

const PREFIX = new RegExp(`^${ID_TOKENS}\\.?$`);

export const PREFIX_RULE =
  `1 to ${MAX_PREFIX_LENGTH} characters out of A-Z a-z 0-9 _ = / - and single dots after ` +
  "them, such as s1.";

export function isValidPrefix(prefix: string): boolean {
  return prefix.length <= MAX_PREFIX_LENGTH && PREFIX.test(prefix);
}

const count = z.int().min(0);

/** The names are those of `limits` in the configuration, where the defaults are. */
const ownLimits = z.object({
  requests_per_second: count.optional(),
  in_flight: count.optional(),
  waiting: count.optional(),
  claims: count.optional(),
  tasks: count.optional(),
  bytes: count.optional(),
  lease_seconds: z.int().min(MIN_TTL_SECONDS).max(MAX_TTL_SECONDS).optional(),
});

/** A limit that a principal can have of its own. */
export type LimitName = keyof z.infer<typeof ownLimits>;
export const LIMIT_NAMES = Object.keys(ownLimits.shape) as readonly LimitName[];
export type OwnLimits = Readonly<Partial<Record<LimitName, number | undefined>>>;

const storedRules = z.object({
  prefixes: z
    .array(z.string().refine(isValidPrefix, { error: `must be ${PREFIX_RULE}` }))
    .max(MAX_PREFIXES)
    .default([]),
  limits: ownLimits.default({}),
});

export interface StoredRules {
  /** Only this principal and operators create tasks whose ids begin with one of these. */
  readonly prefixes: readonly string[];
  readonly limits: OwnLimits;
}

/** What a value of the bucket says, and the names in it that this version does not know. */
export interface ReadRules extends StoredRules {
  readonly unknownNames: readonly string[];
}

/** A text says what is wrong with the value. */
export function readRules(text: string): ReadRules | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return "it is not JSON";
  }
  const { data, error } = storedRules.safeParse(json);
  if (data === undefined) {
    const [issue] = error.issues;
    const place = issue === undefined || issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
    return `${place}${issue?.message ?? "it is no object"}`;
  }
  const { limits = {} } = json as { readonly limits?: object };
  const unknownNames = [
    ...Object.keys(json as object).filter((name) => !(name in storedRules.shape)),
    ...Object.keys(limits)
      .filter((name) => !(name in ownLimits.shape))
      .map((name) => `limits.${name}`),
  ];
  return { ...data, unknownNames };
}
