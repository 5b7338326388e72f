/**
 * The definition of a task on the wire: the table of its fields, and the way to the domain and back.
 * Requests give a definition and records keep it.
 */
import { z } from "zod";
import type { TaskChanges } from "../task/commands.ts";
import { DEFINITION_DEFAULTS, type TaskDefinition } from "../task/task.ts";
import { canonicalJson } from "./canonical-json.ts";
import * as field from "./fields.ts";
import { millisOrNull } from "./instants.ts";
import {
  checked,
  type CheckedField,
  isGiven,
  isId,
  isList,
  isNullOr,
  isObject,
  isShort,
  isText,
  isWhole,
  schemasOf,
} from "./quick-record-check.ts";

/** `dependsOn` is `depends_on` on the wire. */
export type WireName<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${WireName<Rest>}`
  : Name;
export type FieldsOf<T> = Readonly<Record<WireName<keyof T & string>, CheckedField>>;

const isNames = isList(field.MAX_NAMES, isShort(field.MAX_NAME_LENGTH));

/** The fields of a definition. Their defaults are in the domain. */
export const DEFINITION_FIELDS = {
  /** For people. */
  title: checked(z.string(), isText),
  /** For people. */
  description: checked(z.string().nullable(), isNullOr(isText)),
  /** 0 (most urgent) to 4. Default 2. */
  priority: checked(field.priority, isWhole(0, field.MAX_PRIORITY)),
  /** Ids of tasks that must be complete first. */
  depends_on: checked(
    z.array(field.taskId).max(field.MAX_DEPENDENCIES).describe("Tasks that must be complete first"),
    isList(field.MAX_DEPENDENCIES, isId),
  ),
  /** Capabilities that a session must have to claim it. */
  requires: checked(
    field.names.describe("Capabilities that a session must have to claim the task"),
    isNames,
  ),
  /** To filter by. */
  tags: checked(field.names, isNames),
  /** Anything that programs want to keep with it. */
  metadata: checked(field.metadata, (value) => isObject(value) && !field.hasProto(value)),
  /** What the work is about, for the session that does it. */
  payload: checked(z.unknown(), isGiven),
  /** Failed attempts before it is `failed`. Default: the coordinator's, 3. */
  max_failures: checked(
    z
      .int()
      .min(1)
      .max(field.MAX_MAX_FAILURES)
      .describe("Failed attempts before the task is failed"),
    isWhole(1, field.MAX_MAX_FAILURES),
  ),
  /** Lost leases before it is `failed`; 0: no limit. Default: the coordinator's, 10. */
  max_lost_leases: checked(
    z
      .int()
      .min(0)
      .max(field.MAX_MAX_LOST_LEASES)
      .describe("Leases that may expire before the task is failed; 0: no limit"),
    isWhole(0, field.MAX_MAX_LOST_LEASES),
  ),
} as const satisfies FieldsOf<TaskDefinition>;

/** The schemas of a definition's fields. */
export const definition = schemasOf(DEFINITION_FIELDS);

type DefinitionRecord = z.infer<z.ZodObject<typeof definition>>;
/** Any part of a definition, as a request or a stored record gives it. */
export type GivenDefinition = {
  readonly [K in keyof DefinitionRecord]?: DefinitionRecord[K] | undefined;
};

export function encodeDefinition(definition: TaskDefinition): DefinitionRecord {
  return {
    title: definition.title,
    description: definition.description,
    priority: definition.priority,
    depends_on: [...definition.dependsOn],
    requires: [...definition.requires],
    tags: [...definition.tags],
    metadata: { ...definition.metadata },
    payload: definition.payload,
    max_failures: definition.maxFailures,
    max_lost_leases: definition.maxLostLeases,
  };
}
/**
 * A definition from a request or a record. A field that is left out gets the default of the domain, or
 * one of the given limits.
 *
 * The fields are listed one by one: objects made from a list of entries share no hidden class in V8, so
 * each takes ten times the memory and the time.
 */
export function decodeDefinition(
  given: GivenDefinition,
  limits: Pick<TaskDefinition, "maxFailures" | "maxLostLeases"> = DEFINITION_DEFAULTS,
): TaskDefinition {
  const defaults = DEFINITION_DEFAULTS;
  return {
    title: given.title ?? defaults.title,
    description: given.description ?? defaults.description,
    priority: given.priority ?? defaults.priority,
    dependsOn: distinct(given.depends_on),
    requires: distinct(given.requires),
    tags: distinct(given.tags),
    metadata: given.metadata ?? defaults.metadata,
    payload: given.payload ?? defaults.payload,
    maxFailures: given.max_failures ?? limits.maxFailures,
    maxLostLeases: given.max_lost_leases ?? limits.maxLostLeases,
  };
}

/** All empty lists are this one. */
export const NONE: readonly string[] = [];

/** Each name once. */
export function distinct(names: readonly string[] | undefined): readonly string[] {
  if (names === undefined || names.length === 0) return NONE;
  return names.length === 1 ? names : [...new Set(names)];
}

/** What an update can name: the fields of a definition, and the start. */
export const CHANGEABLE_FIELDS: readonly string[] = [
  ...Object.keys(DEFINITION_FIELDS),
  "not_before",
];

/** The fields that an update names, and no others. */
export function decodeChanges(
  given: GivenDefinition & { readonly not_before?: string | null | undefined },
): TaskChanges {
  const notBefore = millisOrNull(given.not_before);
  const isNamed = ([name]: [string, unknown]): boolean =>
    given[wireName(name) as keyof typeof given] !== undefined;
  return Object.fromEntries(
    Object.entries({ ...decodeDefinition(given), notBefore }).filter(isNamed),
  );
}

/** `depends_on` for `dependsOn`, as in the type `WireName`. */
function wireName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export function isSameDefinition(a: TaskDefinition, b: TaskDefinition): boolean {
  return canonicalJson(encodeDefinition(a)) === canonicalJson(encodeDefinition(b));
}
