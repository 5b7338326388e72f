/**
 * Null means absent: programs that write every field of a class send `null` for the options that they
 * do not use. So a `null` is dropped before the schema sees the body, unless the field itself accepts
 * one, as `payload` and `progress` do: there it is a value.
 */
import { z } from "zod";

type Drop = (json: unknown) => void;

/** Deletes, from what was parsed of a request's body, the nulls that mean "absent". */
export function nullDropper(schema: z.ZodType): Drop {
  return dropperOf(schema) ?? (() => undefined);
}

/** `null`: there is nothing to drop below. */
function dropperOf(schema: z.ZodType): Drop | null {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) {
    return dropperOf(schema.unwrap() as z.ZodType);
  }
  if (schema instanceof z.ZodArray) {
    const drop = dropperOf(schema.element as z.ZodType);
    if (drop === null) return null;
    return (json) => {
      if (Array.isArray(json)) json.forEach(drop);
    };
  }
  return schema instanceof z.ZodObject ? fieldsDropper(schema) : null;
}

function fieldsDropper({ shape }: z.ZodObject): Drop {
  const fields = Object.entries(shape) as [string, z.ZodType][];
  const droppable = new Set(
    fields.filter(([, field]) => !acceptsNull(field)).map(([name]) => name),
  );
  const inner = new Map(
    fields.flatMap(([name, field]) => {
      const drop = dropperOf(field);
      return drop === null ? [] : [[name, drop] as const];
    }),
  );
  return (json) => {
    if (typeof json !== "object" || json === null) return;
    const body = json as Record<string, unknown>;
    for (const name in body) {
      if (body[name] !== null) inner.get(name)?.(body[name]);
      // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- the names are those of a schema
      else if (droppable.has(name)) delete body[name];
    }
  };
}

function acceptsNull(schema: z.ZodType): boolean {
  return schema.safeParse(null).success;
}

/** Says in the JSON Schema of a request what `nullDropper` does: an option can be null. */
export function allowNullOptions(schema: z.core.JSONSchema.BaseSchema): void {
  const { properties = {}, required = [] } = schema;
  for (const [name, property] of Object.entries(properties)) {
    if (typeof property === "object" && !required.includes(name)) allowNull(property);
  }
}

function allowNull(schema: z.core.JSONSchema.BaseSchema): void {
  const { type, anyOf, enum: values } = schema;
  if (anyOf !== undefined) {
    if (!anyOf.some((choice) => choice.type === "null")) anyOf.push({ type: "null" });
  } else if (type !== undefined) {
    // JSON Schema takes a list of types; the library's own type does not know that.
    schema.type = [type, "null"] as never;
    values?.push(null);
  }
}
