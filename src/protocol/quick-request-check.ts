/**
 * Recognizes the usual bodies of the most frequent requests, in a twentieth of the time that the schema
 * takes. A body that is not recognized need not be wrong: the schema decides, and explains what is wrong.
 */
import { RELEASE_OUTCOMES } from "../task/commands.ts";
import * as field from "./fields.ts";
import type { Operation, Request } from "./operations.ts";
import {
  type Check,
  isFlag,
  isGiven,
  isId,
  isList,
  isObject,
  isOneOf,
  isShort,
  isText,
  isWhole,
} from "./quick-record-check.ts";

/** What a body may contain. A check may accept less than the field's schema, but nothing more. */
interface Shape {
  readonly required: Readonly<Record<string, Check>>;
  readonly optional: Readonly<Record<string, Check>>;
  /** Makes the value of a field that is left out. */
  readonly defaults: Readonly<Record<string, () => unknown>>;
}

const isInstance = isShort(field.MAX_INSTANCE_LENGTH);
const isTtl = isWhole(field.MIN_TTL_SECONDS, field.MAX_TTL_SECONDS);
const isNames = isList(field.MAX_NAMES, isShort(field.MAX_NAME_LENGTH));
const isConnection = takes({
  required: { server_id: isShort(256), client_id: isWhole(0) },
  optional: {},
  defaults: {},
});
const none = (): unknown[] => [];

/** How a session wants to claim. */
const claiming = {
  ttl_seconds: isTtl,
  capabilities: isNames,
  release_on_disconnect: isConnection,
};
const CLAIM: Shape = {
  required: { session_id: isId },
  optional: { instance: isInstance, ...claiming },
  defaults: { capabilities: none },
};
/** The next tasks of a session that has just released one. */
const NEXT_OF_RELEASE: Shape = {
  required: {},
  optional: {
    ...claiming,
    wait_seconds: isWhole(0, field.MAX_WAIT_SECONDS),
    max: isWhole(1, field.MAX_CLAIMS),
    tags: isNames,
    prefix: (value) => isText(value) && (value as string).length <= 256,
  },
  defaults: {
    ...CLAIM.defaults,
    wait_seconds: () => 0,
    max: () => 1,
    tags: none,
    prefix: () => "",
  },
};
const NEXT: Shape = {
  required: CLAIM.required,
  optional: {
    instance: isInstance,
    request_id: isShort(field.MAX_REQUEST_ID_LENGTH),
    ...NEXT_OF_RELEASE.optional,
  },
  defaults: NEXT_OF_RELEASE.defaults,
};
const RENEW: Shape = {
  required: CLAIM.required,
  optional: {
    instance: isInstance,
    attempt: isWhole(0),
    ttl_seconds: isTtl,
    release_on_disconnect: isConnection,
    progress: isGiven,
  },
  defaults: {},
};
const RELEASE: Shape = {
  required: { ...CLAIM.required, attempt: isWhole(0), status: isOneOf(RELEASE_OUTCOMES) },
  optional: {
    instance: isInstance,
    result: isGiven,
    error: isGiven,
    retry: isFlag,
    next: takes(NEXT_OF_RELEASE),
  },
  defaults: { retry: () => true },
};

const QUICK: Partial<Record<Operation, Check>> = {
  "tasks.claim": takes(CLAIM),
  "tasks.next": takes(NEXT),
  "tasks.renew": takes(RENEW),
  "tasks.release": takes(RELEASE),
};

/** The body with its defaults, which are added to `json`; `null` if the schema has to decide. */
export function quickBody<O extends Operation>(operation: O, json: unknown): Request<O> | null {
  return QUICK[operation]?.(json) === true ? (json as Request<O>) : null;
}

/** A check that adds the defaults to what it accepts. */
function takes({ required, optional, defaults }: Shape): Check {
  const checks = new Map(Object.entries({ ...required, ...optional }));
  const names = new Set(Object.keys(required));
  const left = Object.entries(defaults);
  return (json) => {
    if (!isObject(json)) return false;
    const body = json as Record<string, unknown>;
    let found = 0;
    for (const name in body) {
      if (checks.get(name)?.(body[name]) !== true) return false;
      if (names.has(name)) found++;
    }
    if (found !== names.size) return false;
    for (const [name, make] of left) body[name] ??= make();
    return true;
  };
}
