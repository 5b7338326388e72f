/** An object of JSON or YAML as a row. */
import type { Located, Row } from "./draft.ts";
import type { Places } from "./places.ts";
import type { ReadDrafts } from "./reading.ts";

/** An object of a file that should be a task. */
export interface TaskObject {
  readonly value: Readonly<Record<string, unknown>>;
  readonly offset: number;
}

export function rowOf(
  value: Readonly<Record<string, unknown>>,
  offset: number,
  places: Places,
  { source }: ReadDrafts,
): Row {
  const fields = new Map<string, Located>();
  for (const name of Object.keys(value)) {
    fields.set(name, { value: value[name], offset: places.of(value, name) });
  }
  return { source, offset, fields, isTextual: false, idsAbove: () => [] };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
