/** What a task is by its definition, as requests give it and records keep it. */
import type { z } from "zod";
import type { TaskChanges } from "../task/commands.ts";
import { DEFINITION_DEFAULTS, type TaskDefinition } from "../task/task.ts";
import { canonicalJson } from "./canonical-json.ts";
import type * as field from "./fields.ts";
import { millisOrNull } from "./instants.ts";

type DefinitionRecord = z.infer<z.ZodObject<typeof field.definition>>;
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
 * A definition from a request or a record; what it leaves out takes the defaults of the domain, or the
 * limits that are given.
 *
 * Field by field: objects put together from entries have no common shape, so that each takes ten times
 * the memory and the time.
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

const NONE: readonly string[] = [];

function distinct(names: readonly string[] | undefined): readonly string[] {
  if (names === undefined || names.length === 0) return NONE;
  return names.length === 1 ? names : [...new Set(names)];
}

/** What an update names, and nothing else. */
export function decodeChanges(
  given: GivenDefinition & { readonly not_before?: string | null | undefined },
): TaskChanges {
  const { depends_on, max_failures, max_lost_leases, requires, tags, title, description } = given;
  const { priority, metadata, payload, not_before } = given;
  return Object.fromEntries(
    Object.entries({
      title,
      description,
      priority,
      dependsOn: depends_on === undefined ? undefined : distinct(depends_on),
      requires: requires === undefined ? undefined : distinct(requires),
      tags: tags === undefined ? undefined : distinct(tags),
      metadata,
      payload,
      maxFailures: max_failures,
      maxLostLeases: max_lost_leases,
      notBefore: not_before === undefined ? undefined : millisOrNull(not_before),
    }).filter(([, value]) => value !== undefined),
  );
}

export function isSameDefinition(a: TaskDefinition, b: TaskDefinition): boolean {
  return canonicalJson(encodeDefinition(a)) === canonicalJson(encodeDefinition(b));
}
