/** "Null means absent", by the words of docs/protocol.md, except where null is a value. */
import type { Schema } from "./schema-bodies.ts";

/** Where null is a value, by the same words. */
const VALUES: ReadonlySet<string> = new Set([
  "payload",
  "description",
  "progress",
  "result",
  "error",
]);

/** The body as if the fields that are null had been left out; fields that nobody knows stay. */
export function withoutNulls(json: unknown, schema: Schema): unknown {
  if (Array.isArray(json)) return json.map((one) => withoutNulls(one, schema.items ?? {}));
  const { properties } = schema;
  if (typeof json !== "object" || json === null || properties === undefined) return json;
  return Object.fromEntries(
    Object.entries(json).flatMap(([name, value]: [string, unknown]) => {
      const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
      if (property === undefined || VALUES.has(name)) return [[name, value]];
      return value === null ? [] : [[name, withoutNulls(value, property)]];
    }),
  );
}
